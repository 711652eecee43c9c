"""Who is compared: how each server and gateway is installed and started.

A command is a line with places to fill in: ``{python}`` and ``{bin}`` of the contender's environment, ``{port}`` where
it listens, ``{served}`` the folder with what it serves, ``{cert}`` and ``{key}``, ``{upstream}`` the port behind a
gateway, ``{folder}`` an empty one, ``{load}`` the load generator. Versions are held, so that a figure says whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_UVLOOP = "uvloop==0.23.0"
_TWISTED = ("twisted[tls,http2,websocket]==26.10.0", "autobahn==26.10.2", "pyopenssl==26.4.0", "h2==4.4.1")

_SITE = (
    " upgradegw --listen tcp:{port}:interface=127.0.0.1:backlog=1000 --access-log off --app-dir {served}"
    " --websocket /ws=autobahn_app:echo_factory --resource /plain=autobahn_app:Plain"
)
_OVER_TLS = " --tls-cert {cert} --tls-key {key}"
_GATEWAY = (
    " upgradegw --listen tcp:{port}:interface=127.0.0.1:backlog=1000 --access-log off"
    " --proxy /=http://127.0.0.1:{upstream}"
)
_OURS = "{bin}/twistd -n --pidfile="
_NGHTTPX = (
    "nghttpx --conf=/dev/null --single-process -n1 --errorlog-file=/dev/null --accesslog-file=/dev/null"
    " --frontend=127.0.0.1,{port};no-tls --backend=127.0.0.1,{upstream}"
)

#: Files that a gateway wants, by the place that stands for them in its command.
FILES = {
    "nginx_conf": """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=1000;
    location / {{
      proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_read_timeout 3600s;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host;
    }}
  }}
}}
""",
    "haproxy_cfg": """
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout connect 10s
    timeout client 3600s
    timeout server 3600s
    timeout tunnel 3600s
frontend in
    bind 127.0.0.1:{port} backlog 1000
    default_backend out
backend out
    server upstream 127.0.0.1:{upstream}
""",
    "caddyfile": """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  reverse_proxy 127.0.0.1:{upstream}
}}
""",
}


@dataclass(frozen=True)
class Contender:
    """Somebody to compare with, or ourselves.

    Attributes:
        label: What tables and charts call it.
        plain: The command of a server without TLS.
        tls: The command of a server with TLS.
        gateway: The command of a gateway.
        requirements: What pip installs for it; nothing where it runs in this environment or is a program.
        limit: Whether it is no server that anybody would run, but shows what is possible.
        variables: The environment that it wants besides.
    """

    label: str
    plain: str = ""
    tls: str = ""
    gateway: str = ""
    requirements: tuple[str, ...] = ()
    limit: bool = False
    variables: dict[str, str] = field(default_factory=dict)


#: All of them, by the names that rows and the command line use.
CONTENDERS = {
    "upgradegw": Contender("upgradegw", _OURS + _SITE, _OURS + _SITE + _OVER_TLS, _OURS + _GATEWAY),
    "upgradegw-pure": Contender(
        "upgradegw without its parts in C",
        _OURS + _SITE,
        _OURS + _SITE + _OVER_TLS,
        _OURS + _GATEWAY,
        variables={"UPGRADEGW_PURE": "1"},
    ),
    "upgradegw-epoll": Contender(
        "upgradegw on epoll",
        _OURS + " --reactor=epoll" + _SITE,
        _OURS + " --reactor=epoll" + _SITE + _OVER_TLS,
        _OURS + " --reactor=epoll" + _GATEWAY,
    ),
    "autobahn": Contender(
        "Autobahn's resource in twisted.web",
        "{python} {served}/twisted_site.py autobahn {port}",
        requirements=_TWISTED,
    ),
    "twisted-websocket": Contender(
        "twisted.web.websocket",
        "{python} {served}/twisted_site.py websocket {port}",
        requirements=_TWISTED,
    ),
    "twisted": Contender(
        "twisted.web's own HTTP/2",
        tls="{python} {served}/twisted_site.py plain {port} {cert} {key}",
        requirements=_TWISTED,
    ),
    "daphne": Contender(
        "Daphne",
        "{bin}/daphne -v 0 -b 127.0.0.1 -p {port} asgi_app:application",
        "{bin}/daphne -v 0 -e ssl:{port}:interface=127.0.0.1:privateKey={key}:certKey={cert} asgi_app:application",
        requirements=("daphne==4.2.3", "twisted[tls,http2]==26.10.0"),
        variables={"PYTHONPATH": "{served}"},
    ),
    "hypercorn": Contender(
        "Hypercorn, uvloop",
        "{bin}/hypercorn --worker-class uvloop --workers 0 --backlog 1000 --bind 127.0.0.1:{port} asgi_app:application",
        "{bin}/hypercorn --worker-class uvloop --workers 0 --backlog 1000 --bind 127.0.0.1:{port} --certfile {cert}"
        " --keyfile {key} asgi_app:application",
        requirements=("hypercorn[uvloop]==0.18.0", _UVLOOP),
        variables={"PYTHONPATH": "{served}"},
    ),
    "granian": Contender(
        "Granian (Rust)",
        "{bin}/granian --interface asgi --host 127.0.0.1 --port {port} --workers 1 --loop uvloop --backlog 1024"
        " --no-access-log --log-level warning asgi_app:application",
        requirements=("granian==2.8.7", _UVLOOP),
        variables={"PYTHONPATH": "{served}"},
    ),
    "websockets": Contender(
        "websockets, uvloop",
        "{python} {served}/websockets_app.py {port}",
        requirements=("websockets==17.4", _UVLOOP),
    ),
    "uvicorn": Contender(
        "uvicorn, websockets-sansio, uvloop",
        "{bin}/uvicorn --app-dir {served} --host 127.0.0.1 --port {port} --ws websockets-sansio --loop uvloop"
        " --http httptools --ws-per-message-deflate false --no-access-log --log-level warning asgi_app:application",
        requirements=("uvicorn==0.54.0", "websockets==17.4", "httptools==0.9.0", _UVLOOP),
    ),
    "aiohttp": Contender(
        "aiohttp, uvloop (Cython)",
        "{python} {served}/aiohttp_app.py {port}",
        "{python} {served}/aiohttp_app.py {port} {cert} {key}",
        requirements=("aiohttp==3.14.5", _UVLOOP),
    ),
    "picows": Contender(
        "picows, uvloop (Cython, frames only)",
        "{python} {served}/picows_app.py {port}",
        requirements=("picows==2.3.1", _UVLOOP),
    ),
    "bare-twisted": Contender(
        "limit: bare frames in Python, epoll",
        "{python} {served}/bare.py twisted {port}",
        requirements=_TWISTED,
        limit=True,
    ),
    "bare-uvloop": Contender(
        "limit: bare frames in Python, uvloop",
        "{python} {served}/bare.py uvloop {port}",
        requirements=(_UVLOOP,),
        limit=True,
    ),
    "bare-c": Contender("limit: bare frames in C", "{load} serve --port {port}", limit=True),
    "h2-alone": Contender("limit: h2 alone, no I/O", requirements=_TWISTED, limit=True),
    "nginx": Contender("nginx", gateway="nginx -p {folder} -c {nginx_conf}"),
    "haproxy": Contender("HAProxy", gateway="haproxy -db -f {haproxy_cfg}"),
    "nghttpx": Contender("nghttpx", gateway=_NGHTTPX),
    "caddy": Contender("Caddy", gateway="caddy run --adapter caddyfile --config {caddyfile}"),
    "portforward": Contender(
        "Twisted's portforward, epoll",
        gateway="{python} {served}/portforward.py {port} {upstream}",
        requirements=_TWISTED,
    ),
}
