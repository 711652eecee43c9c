const [login, say, here, messages, trouble] =
  ["login", "say", "here", "messages", "trouble"].map((id) => document.getElementById(id));
let socket;

function connect() {
  let opened = false;
  socket = new WebSocket(new URL("chat", location.href.replace(/^http/, "ws")));
  socket.onopen = () => { opened = true; show(say); };
  socket.onmessage = (event) => add(JSON.parse(event.data));
  socket.onclose = () => {
    here.textContent = "";
    if (opened) setTimeout(connect, 1000);  // the server was restarted, or the network is gone
    else show(login);                       // refused: the server does not know us
  };
}

function show(form) {
  login.hidden = form !== login;
  say.hidden = form !== say;
  form.querySelector("input").focus();
}

function add({ name, does, text, here: names }) {
  const line = document.createElement("li");
  const who = document.createElement("b");
  who.textContent = name;  // never innerHTML: a name is what a stranger has typed
  line.className = does;
  line.append(who, does === "says" ? text : ` ${does}`);
  messages.append(line);
  line.scrollIntoView();
  here.textContent = names.join(", ");
}

login.onsubmit = async (event) => {
  event.preventDefault();
  const answer = await fetch("login", { method: "POST", body: new URLSearchParams(new FormData(login)) });
  trouble.textContent = answer.ok ? "" : await answer.text();
  if (answer.ok) connect();
};

say.onsubmit = (event) => {
  event.preventDefault();
  socket.send(say.elements.text.value);
  say.reset();
};

connect();
