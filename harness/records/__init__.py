"""The frozen nouns that stages hand each other, and the protocols they are called by."""
