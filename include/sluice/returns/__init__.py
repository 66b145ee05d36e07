"""What goes back to a principal: prepared, released, put, arrived."""
