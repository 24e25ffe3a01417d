"""However often a form is pressed, and whatever gets lost on the way: one message at HostUp.

`SENT_ONCE_PRESSES=10000 make test-sent-once` is the long version.
"""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.forms import OPEN_ID, form_of, hidden_fields

URL, PAGE = f"/tickets/{OPEN_ID}/reply/", f"http://testserver/tickets/{OPEN_ID}/"
PRESSES = int(os.environ.get("SENT_ONCE_PRESSES", 150))
STEPS = 10
LOST = ["lost_answer", "truncated", "broken_json", "html_200", "reset", "problem_500", "empty_503", "problem_504"]


@pytest.mark.django_db
def test_no_message_is_ever_sent_twice(agent, sandbox):
    pressed = Counter()

    class AgentAtWork(RuleBasedStateMachine):
        """An agent who writes, presses, presses again, reloads, goes Back, and looks when told to look."""

        @initialize()
        def begins(self):
            sandbox.reset()
            self.texts = 0
            self.old_forms = []
            self.writes()

        def writes(self):
            self.texts += 1
            self.text = f"Message {self.texts}."
            self.form = form_of(agent)

        @rule(post=st.none() | st.sampled_from(LOST), get=st.none() | st.sampled_from(["reset", "problem_503"]))
        def presses(self, post, get):
            if post:
                sandbox.fault(post, method="POST")
            if get:
                sandbox.fault(get, method="GET", skip=1)
            pressed["forms"] += 1
            self.press(self.form, self.text)
            sandbox.clear_faults()

        @rule()
        def presses_ten_times(self):
            pressed["forms"] += 1
            form, text = self.form, self.text
            for _ in range(10):
                self.press(form, text)

        @rule(which=st.integers(0, 9))
        def goes_back_and_presses_an_old_form(self, which):
            if self.old_forms:
                form, text = self.old_forms[which % len(self.old_forms)]
                agent.htmx_post(URL, form | {"message": text}, at=PAGE)

        @rule()
        def reloads(self):
            self.form = form_of(agent)

        @rule()
        def hostup_writes(self):
            ticket = sandbox.tickets.find(OPEN_ID)
            sandbox.tickets.add_message(ticket, sender="staff", sender_name="Ola Demo", body="News.")

        def press(self, form, text):
            pressed["times"] += 1
            html = agent.htmx_post(URL, form | {"message": text}, at=PAGE).content.decode()
            if "Sent." in html:
                self.old_forms.append((form, text))
                if text == self.text:
                    self.writes()
            elif "We do not know" in html:
                self.old_forms.append((form, text))
                if any(message.body == text for message in sandbox.tickets.find(OPEN_ID).messages):
                    self.writes()  # the agent looked, and it was there
                else:
                    self.form = form | hidden_fields(html)
            elif text == self.text:
                self.form = form | hidden_fields(html)

        def teardown(self):
            pressed["sent"] += sum(
                (message.body or "").startswith("Message ") for message in sandbox.tickets.find(OPEN_ID).messages
            )

        @invariant()
        def no_text_is_there_twice(self):
            texts = Counter(m.body for m in sandbox.tickets.find(OPEN_ID).messages if m.sender == "customer")
            assert all(count == 1 for text, count in texts.items() if text and text.startswith("Message"))

    run_state_machine_as_test(
        AgentAtWork,
        settings=settings(
            max_examples=max(1, PRESSES // STEPS),
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert pressed["sent"] > pressed["forms"] / 4  # most are; many of the rest get lost
    print(f"{pressed['times']} presses, {pressed['sent']} messages, none twice")
