"""The log: who did what with which ticket, for every agent to see."""

from sandbox.special_tickets import SAMPLE_ID


def test_it_shows_who_did_what(agent, colleague):
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    html = colleague.get("/activity/").content.decode()
    for words in ("agent", "Reopen ticket", "#149943", "Closed → Open", "Done"):
        assert words in html


def test_it_is_filtered_by_agent_and_ticket(agent, colleague):
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    colleague.post("/settings/key/check/")

    def entries(query):
        return agent.get(f"/activity/{query}").content.decode().count("<tr>") - 1

    assert entries("") == 2
    assert entries("?agent=agent") == 1
    assert entries("?ticket=149943") == entries("?ticket=%23149943") == entries(f"?ticket={SAMPLE_ID}") == 1
    assert entries("?agent=colleague&ticket=149943") == -1  # no table, but a sentence
    assert "No activity to show." in agent.get("/activity/?agent=nobody").content.decode()


def test_a_ticket_s_entries_are_found_by_either_of_its_names(agent, colleague, sandbox):
    """An attempt that failed has only the name that its address had."""
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    sandbox.fault("problem_403", method="POST", times=3)
    colleague.htmx_post(f"/tickets/{SAMPLE_ID}/close/")
    assert ">Refused<" in agent.get("/activity/?agent=colleague&ticket=149943").content.decode()
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/close/")
    agent.htmx_post("/tickets/149943/close/")
    agent.htmx_post("/tickets/150020/close/")  # another one
    for name in (SAMPLE_ID, "149943"):
        html = agent.get(f"/activity/?ticket={name}").content.decode()
        assert html.count("<tr>") - 1 == 4
        assert html.count("#149943</a>") + html.count(">149943</a>") == 4
    assert f'href="/activity/?ticket={SAMPLE_ID}"' in agent.get(f"/tickets/{SAMPLE_ID}/").content.decode()


def test_long_logs_have_pages(agent):
    for _ in range(51):
        agent.post("/settings/key/remove/")
    assert "Older" in agent.get("/activity/").content.decode()
    assert "Newer" in agent.get("/activity/?page=2").content.decode()
    assert agent.get("/activity/?page=nonsense").status_code == 200


def test_a_request_id_is_kept_for_hostup_s_support(agent, sandbox):
    sandbox.fault("problem_403", method="POST")
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    html = agent.get("/activity/").content.decode()
    assert "Refused" in html
    assert "forbidden" in html
    assert "<code>req_" in html


def test_a_status_that_a_form_made_up_is_not_logged(agent):
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "<script>"})
    assert "script&gt;" not in agent.get("/activity/").content.decode()
