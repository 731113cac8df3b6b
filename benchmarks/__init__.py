"""Side-by-side measurements: the product, a hand-written script, the physical floor and peers."""
