"""The content of an agreement: keys and rules (SCC 2021/915, GDPR Art. 28(3)), annexes, closed lists of the law."""
