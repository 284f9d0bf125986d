import asyncio

import gradio as gr
import pytest

from serving.core.errors import Refused
from serving.page.sessions import OF_ONE_CLIENT, SESSIONS, Sessions


@pytest.fixture
def page():
    async def build():
        with gr.Blocks() as page:
            gr.Textbox("first")
            gr.State(5)
        return page

    return asyncio.run(build())


@pytest.fixture
def sessions(page):
    return Sessions(page)


def test_a_session_keeps_its_state_and_changed_components_but_no_values_of_events(page, sessions):
    text, state = (component._id for component in page.blocks.values() if isinstance(component, gr.Textbox | gr.State))
    session = sessions["tab"]
    assert session[state] == 5
    session[state] = 6
    session[text] = gr.Textbox("second", render=False)
    session._update_value_in_config(text, "x" * 1000)
    session._update_config(text)
    assert sessions["tab"] is session
    assert (session[state], session[text].value) == (6, "second")
    assert session.config_values == {}
    assert [value for _, value, _ in session.state_components] == [6]


def test_sessions_are_bounded_by_client_and_all_together(sessions):
    sessions.claim("another's", "10.0.0.2")
    assert sessions["another's"]
    for number in range(OF_ONE_CLIENT + 1):
        assert sessions[f"tab {number}"]
        sessions.claim(f"tab {number}", "10.0.0.1")
    assert "tab 0" not in sessions
    assert "tab 1" in sessions
    assert "another's" in sessions
    for number in range(SESSIONS + 1):
        assert sessions[f"unclaimed {number}"]
    assert len(sessions.session_data) == len(sessions.time_last_used) == SESSIONS


def test_a_session_of_a_long_name_is_refused(sessions):
    with pytest.raises(Refused, match="64 characters"):
        assert sessions["x" * 65]
