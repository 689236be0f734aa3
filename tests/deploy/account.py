"""Runs in the machine, with its own Python alone: opens the first link as a browser does and makes the account.

python3 account.py LINK
"""

from __future__ import annotations

import re
import sys
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener

_PASSWORD = "correct horse battery"  # of a machine that is thrown away


def main(link: str) -> None:
    """Fails where no account is made, it does not get in, others get in too, or the link works twice."""
    browser, stranger = build_opener(HTTPCookieProcessor(CookieJar())), build_opener()
    form = browser.open(link).read().decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[-1]  # any form's will do
    fields = {"csrfmiddlewaretoken": token, "username": "owner", "password1": _PASSWORD, "password2": _PASSWORD}
    made = browser.open(link, urlencode(fields).encode())
    if made.url == link:
        sys.exit(f"no account was made: {made.read().decode()}")
    shown, refused = (urlsplit(who.open(urljoin(link, "/")).url).path for who in (browser, stranger))
    if "login" in shown or "login" not in refused:
        sys.exit(f"the owner sees {shown}, a stranger {refused}")
    try:
        stranger.open(link)
    except HTTPError as error:
        sys.stdout.write(f"account made, the page {shown} is shown; the link once more: {error.code}\n")
        sys.exit(error.code != 410)
    sys.exit("the link works twice")


if __name__ == "__main__":
    main(sys.argv[1])
