"""The judge's side of a box: slots and sessions, docker, local, image, doctor."""
