"""What an agreement says: its keys and rules (SCC 2021/915, GDPR Art. 28(3)), its annexes, the law's closed lists."""
