"""The graph of one exchange names who, what and under which paper, once each."""

from documents.samples import EXCHANGE, a_record, a_refusal_without_paper
from sluice.lineage.graph import trace_of


def test_a_partly_accepted_file_leads_from_its_sender_to_its_copies():
    graph = trace_of([a_record()]).graph

    verbs = {(edge.source.partition(":")[0], edge.verb, edge.target.partition(":")[0]) for edge in graph.edges}
    assert verbs == {
        ("party", "sent", "object"),
        ("object", "was judged in", "exchange"),
        ("agreement", "allows", "exchange"),
        ("contract", "describes", "exchange"),
        ("exchange", "made lake", "object"),
        ("exchange", "made quarantine.rows", "object"),
        ("exchange", "made findings", "object"),
        ("exchange", "is for", "party"),
    }
    ids = [node.id for node in graph.nodes]
    assert len(ids) == len(set(ids))
    assert {end for edge in graph.edges for end in (edge.source, edge.target)} <= set(ids)


def test_a_refusal_without_paper_has_no_paper():
    graph = trace_of([a_refusal_without_paper()]).graph

    assert f"exchange:{EXCHANGE}" in {node.id for node in graph.nodes}
    assert {node.kind for node in graph.nodes} == {"exchange", "party", "object"}
