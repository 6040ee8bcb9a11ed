"""What every training shares: runs that resume, curves, losses, weights on disk."""
