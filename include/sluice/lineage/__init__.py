"""Lineage, what came from where: OpenLineage events, the graph and its drawing."""
