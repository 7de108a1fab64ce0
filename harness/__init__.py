"""Evidence on whether a fine-tuned language model beats prompting and RAG, what it forgot, and whether it may ship."""

__version__ = "0.1.0"
