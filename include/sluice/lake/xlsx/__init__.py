"""Workbooks read as they are exchanged: hidden rows, merged cells, formulas, both date systems."""
