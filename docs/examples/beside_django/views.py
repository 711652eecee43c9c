"""A page for those who have logged in, and a bell that they can ring."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_POST

import bell


@login_required
def home(request):
    return render(request, "home.html", {"name": request.user.get_username()})


@login_required
@require_POST
def ring(request):
    bell.ring(request.user.get_username())
    return HttpResponse(status=204)


urlpatterns = [
    path("", home, name="home"),
    path("ring", ring),
    path("login", LoginView.as_view(template_name="login.html"), name="login"),
]
