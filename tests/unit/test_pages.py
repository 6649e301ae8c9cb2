"""Reports and profiles as a browser on this machine opens them."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_ingestion.errors import OperatorFault
from data_ingestion.landing import open_store
from data_ingestion.pages import PageServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    folder = tmp_path / "reports"
    (folder / "orders").mkdir(parents=True)
    (folder / "orders" / "open & late.html").write_text("<p>two orders</p>")
    (folder / "orders" / "open.csv").write_text("order\n1\n")
    (folder / "orders" / "notes.txt").write_text("not a page")
    (tmp_path / "secret.html").write_text("outside")
    with PageServer(open_store(str(folder)), "127.0.0.1", 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(server: PageServer, path: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.request(method, path, headers={"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.headers.get("Content-Type", ""), answer.read().decode()


def test_the_index_leads_to_every_page(server: PageServer) -> None:
    status, kind, text = ask(server, "/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert '<a href="/orders/open%20%26%20late.html">orders/open &amp; late.html</a>' in text
    assert "notes.txt" not in text
    assert ask(server, "/orders/open%20%26%20late.html")[2] == "<p>two orders</p>"
    assert ask(server, "/orders/open.csv")[:2] == (200, "text/csv; charset=utf-8")


@pytest.mark.parametrize(
    "path",
    ["/none.html", "/orders/notes.txt", "/../secret.html", "/orders/%2e%2e/%2e%2e/secret.html", "//x.html"],
)
def test_what_is_not_a_page_of_the_folder_is_not_there(server: PageServer, path: str) -> None:
    assert ask(server, path)[0] == 404


def test_nothing_can_be_written_and_no_other_name_leads_here(server: PageServer) -> None:
    assert ask(server, "/orders/open.csv", "PUT")[0] == 501
    assert ask(server, "/", host="attacker.example")[0] == 403
    assert ask(server, "/", "HEAD") == (200, "text/html; charset=utf-8", "")


def test_an_empty_folder_says_who_writes_pages(tmp_path: Path) -> None:
    from data_ingestion.pages import index_of

    assert "None have been written yet" in index_of(open_store(str(tmp_path)))


def test_a_port_that_is_taken_is_named(server: PageServer, tmp_path: Path) -> None:
    with pytest.raises(OperatorFault, match="choose another port by --port"):
        PageServer(open_store(str(tmp_path)), "127.0.0.1", server.server_address[1])
