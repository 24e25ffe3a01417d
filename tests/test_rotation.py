"""While the encryption key is rotated, no page fails, and nothing that agents save is lost."""

from benchmarks.rotation import rotate


def test_every_key_and_draft_is_read_while_they_are_rotated():
    """`make bench-rotation` is the long version."""
    at_work, _, said = rotate(agents=100, pause=0.25)
    assert at_work.failures == []
    assert at_work.seen.total() > 20
    assert said.count(" 0 left under another key.") == 4
