"""SavedModels in memory: their versions, found on disk, warmed up, run in batches, and dropped again."""
