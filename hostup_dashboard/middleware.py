"""Middleware for every request and answer, whatever the page."""

import logging
import re
import secrets
import zoneinfo

import brotli
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import Error as DatabaseError
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme
from whitenoise.middleware import WhiteNoiseFileResponse

from hostup_dashboard.accounts import throttle
from hostup_dashboard.errors import error_answer, written_in
from hostup_dashboard.htmx import asking_page, lead_to, linking_page

logger = logging.getLogger(__name__)

TIME_ZONE_COOKIE = "timezone"  # set by static/app.js
# Features of browsers that our pages never use. Copying and passkeys stay allowed.
UNUSED_FEATURES = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media",
    "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone",
    "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial", "storage-access", "sync-xhr", "usb",
    "window-management", "xr-spatial-tracking",
)  # fmt: skip
HEADERS = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES),
    "X-Robots-Tag": "noindex, nofollow",
}


def answer_headers(get_response):
    """Keep answers other than static files out of caches, and this site out of other sites' pages.

    `Vary` and `no-store` also keep the browser from showing a bare fragment when the agent goes back: the same
    address answers with a page or a fragment.
    """

    def middleware(request):
        response = get_response(request)
        if not isinstance(response, WhiteNoiseFileResponse):
            response.headers["Cache-Control"] = "no-store, private"
            patch_vary_headers(response, ["HX-Request", "HX-Request-Type"])
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    return middleware


class Compressed(GZipMiddleware):
    """Compresses pages to an eighth of their size, and leaves downloads as they are, with their length.

    Brotli takes half the time of gzip; browsers accept it over https and from their own machine.

    Against attackers who learn from the sizes of answers (BREACH), each is longer by a random number of bytes,
    which Django adds to gzip and we add to brotli, and the CSRF token is masked anew in each.
    """

    quality = 3  # of 11; as small as with gzip

    def process_response(self, request, response):
        if response.streaming:
            return response
        takes_brotli = re.search(r"\bbr\b", request.headers.get("Accept-Encoding", ""))
        if not takes_brotli or len(response.content) < 200 or response.has_header("Content-Encoding"):
            return super().process_response(request, response)
        patch_vary_headers(response, ["Accept-Encoding"])
        packer = brotli.Compressor(quality=self.quality)
        packed = packer.process(response.content) + packer.flush()
        response.content = packed + _metadata_block(secrets.randbelow(self.max_random_bytes)) + BROTLI_END
        response.headers["Content-Encoding"] = "br"
        response.headers["Content-Length"] = str(len(response.content))
        return response


BROTLI_END = b"\x03"  # an empty last block


def _metadata_block(length: int) -> bytes:
    """Return a brotli metadata block, which decoders skip: a header and `length` zero bytes (up to 256).

    RFC 7932, 9.2: MNIBBLES 0 in two bits, then how many bytes give the length, here one, then the length less one.
    """
    if not length:
        return b""
    return (0b01_0_11_0 | length - 1 << 6).to_bytes(2, "little") + bytes(length)


class Sessions(SessionMiddleware):
    """Django's sessions, which do not lose an answer because a session could not be saved: the database failed, or
    the agent has signed out meanwhile.

    What is saved at the end of a request, such as a message for the next page, matters less than its answer.
    (Signing in and out save at once, and fail there.)
    """

    def process_request(self, request):
        # No session key has a NUL in it, and PostgreSQL cannot be asked for one that has.
        if "\0" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        super().process_request(request)

    def process_response(self, request, response):
        try:
            return super().process_response(request, response)
        except (DatabaseError, SessionInterrupted) as error:
            logger.error("going on without saving the session: %s", error)
            return response


def browser_time_zone(get_response):
    """Show times in the zone that the agent's browser has told us, or else in `TIME_ZONE`."""

    def middleware(request):
        with timezone.override(_zone(request.COOKIES.get(TIME_ZONE_COOKIE, ""))):
            return get_response(request)

    return middleware


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # no cookie, no such zone, or not a valid name
        return None


def worded_method_errors(get_response):
    """Give Django's empty 405 a page that says what happened."""

    def middleware(request):
        response = get_response(request)
        if response.status_code != 405 or response.content:
            return response
        page = error_answer(request, 405)
        page.headers["Allow"] = response.headers["Allow"]
        return page

    return middleware


class RefusedForms(MiddlewareMixin):
    """Answers a refused form of allauth's with 422, or after too many attempts with 429 and how long to wait.
    allauth answers 200."""

    def process_template_response(self, request, response):
        context = response.context_data or {}
        for form in (context.get("form"), context.get("webauthn_form")):
            if request.method == "POST" and form is not None and form.errors:
                response.status_code = 422
                if any(form.has_error(name, code) for name in form.errors for code in throttle.CODES):
                    response.status_code = 429
                    response.headers["Retry-After"] = str(throttle.seconds_to_wait())
        return response


class SignInRequired(LoginRequiredMiddleware):
    """Sends people who are not signed in to the sign-in page, and afterwards back to the page they were on.

    When htmx asked, static/writing.js keeps the texts in the page's forms. Any other form with a text in it is
    answered with that text, so that it is not lost. The sign-in page learns from its address what was not done,
    and says it.
    """

    def process_view(self, request, view_func, view_args, view_kwargs):
        if not getattr(view_func, "login_required", True):
            return None  # without asking the database who it is
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request, view_func):
        if request.htmx:
            came_from = asking_page(request)
        elif request.method == "POST":
            came_from = request.POST.get("next")  # the page that the form was on
        elif getattr(view_func, "answers_with_file", False):
            came_from = linking_page(request)
        else:
            came_from = request.get_full_path()
        if not url_has_allowed_host_and_scheme(came_from, allowed_hosts=None):
            came_from = resolve_url(settings.LOGIN_REDIRECT_URL)
        sign_in_url = redirect_to_login(came_from).url
        message = written_in(request)
        if message and not request.htmx:
            context = {"sign_in_url": sign_in_url, "message": message}
            return render(request, "signed_out.html", context, status=401)
        if request.method == "POST" and not getattr(view_func, "keeps_drafts", False):
            sign_in_url += "&pressed"
        if message:  # the browser keeps no text that is to be sent encrypted; its last saved draft is there
            sign_in_url += "&saved" if "encrypted" in request.POST else "&written"
        return lead_to(request, sign_in_url)
