"""Rules about the shape of the source tree, each a function of a Tree that returns findings ("path:line: text")."""
