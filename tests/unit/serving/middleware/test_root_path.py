import asyncio

import pytest

from serving.middleware.root_path import RootPathMiddleware


@pytest.mark.parametrize(
    ("root", "sent", "asked"),
    [
        ("/digits", "/digits/api/predict", "/api/predict"),
        ("/digits", "/digits", "/"),
        ("/digits", "/api/predict", "/api/predict"),
        ("/digits", "/digitsx", "/digitsx"),
        ("", "/digits", "/digits"),
    ],
)
def test_the_page_answers_with_and_without_its_path(root, sent, asked):
    paths = []

    async def app(scope, _receive, _send):
        paths.append(scope["path"])

    asyncio.run(RootPathMiddleware(app, root)({"type": "http", "path": sent}, None, None))
    assert paths == [asked]
