"""Read workbooks as they are exchanged in practice: hidden rows, merged cells, formulas, both date systems."""
