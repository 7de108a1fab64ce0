from harness.rating.validation import record_outcomes


def test_records_are_accepted_rejected_corrected_or_divided(desk) -> None:
    desk.put("ann", "r1", [], {"decision": "accept"})
    desk.put("bob", "r1", [], {"decision": "accept", "comment": "good"})
    desk.put("ann", "r2", [], {"decision": "accept"})
    desk.put("bob", "r2", [], {"decision": "reject", "comment": " wrong "})
    desk.put("ann", "r3", [], {"decision": "correct", "corrected": "new"})
    desk.put("ann", "r4", [], {"decision": "reject"})
    desk.put("ann", "r4", [], {"decision": "accept"}, purpose="repeat")
    found = {one.record_id: one for one in record_outcomes(desk.judgements)}
    assert {name: one.outcome for name, one in found.items()} == {
        "r1": "accept",
        "r2": "divided",
        "r3": "correct",
        "r4": "reject",
    }
    assert (found["r2"].accepted, found["r2"].rejected, found["r2"].comments) == (1, 1, ("wrong",))
    assert found["r3"].corrected == ("new",)
