import httpx
import pytest


@pytest.fixture(scope="module")
def url(served, classifier, settings):
    """A page to which a client may upload 2 MiB an hour."""
    return served(classifier, settings.model_copy(update={"rate_limit_upload": "2/hour"}))


def client_at(url, address):
    return httpx.Client(base_url=url, transport=httpx.HTTPTransport(local_address=address))


def form(size):
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    return head + bytes(size) + b"\r\n--b--\r\n"


@pytest.mark.parametrize(("address", "is_announced"), [("127.0.0.3", True), ("127.0.0.4", False)])
def test_a_client_may_upload_so_much_and_others_go_on(url, address, is_announced):
    def upload(client, size):
        body = form(size)
        content = body if is_announced else iter([body[:1000], body[1000:]])
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        return client.post("/gradio_api/upload", content=content, headers=headers)

    with client_at(url, address) as client, client_at(url, "127.0.0.5") as other:
        assert upload(client, 1_500_000).status_code == 200
        refused = upload(client, 1_500_000)
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "too_many"
        assert "2 MiB" in refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        assert upload(other, 100_000).status_code == 200


@pytest.mark.parametrize("path", ["upload", "upload_progress"])
def test_the_id_of_an_upload_is_short(url, path):
    with client_at(url, "127.0.0.6") as client:
        response = client.request("POST" if path == "upload" else "GET", f"/gradio_api/{path}?upload_id={'x' * 200}")
        assert response.status_code == 422
        assert "upload_id" in response.json()["error"]["message"]


def test_a_file_that_cannot_be_kept_is_refused_in_words(served, classifier, settings, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    url = served(classifier, settings)
    (tmp_path / "cache").rename(tmp_path / "gone")
    (tmp_path / "cache").touch()  # in its place, as full as can be
    refused = httpx.post(f"{url}gradio_api/upload", files={"files": ("a.png", b"picture")})
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "no_room"
    assert "could not be kept" in caplog.text
    assert [record for record in caplog.records if record.exc_info] == []
