"""Attachments for the seed: small genuine files, hostile ones, and awkward names."""

import base64

from .making import File

# One transparent pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""
LOG = b"192.0.2.14 GET /search?q=a 200\n192.0.2.14 GET /search?q=b 200\n192.0.2.14 GET /search?q=c 200\n"
HTML = b"<!doctype html><script>document.body.textContent = 'ran as ' + document.cookie</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(document.domain)"><script>alert(1)</script></svg>'

ACCESS_LOG = File("access.log", "text/plain", LOG)
ORDINARY = (
    ACCESS_LOG,
    File("screenshot.png", "image/png", PNG),
    File("invoice.pdf", "application/pdf", PDF),
)
HOSTILE = (
    File("page.html", "text/html", HTML),
    File("drawing.svg", "image/svg+xml", SVG),
    # Claims to be an image, but is a page.
    File("photo.png", "image/png", HTML),
)
AWKWARD = (
    File("two words and more.txt", "text/plain", b"spaces"),
    File("räksmörgås på ön.txt", "text/plain; charset=utf-8", "åäö".encode()),
    File("../../etc/passwd", "text/plain", b"root:x:0:0\n"),
    # U+202E reverses what follows it: the name shows as "invoiceexe.pdf".
    File("invoice\u202efdp.exe", "application/octet-stream", b"MZ"),
    File('quo"te; filename=evil.exe', "text/plain", b"quotes"),
    File("x" * 300 + ".txt", "text/plain", b"long"),
    File("empty.txt", "text/plain", b""),
    File(None, None, b"no name, no type"),
)
