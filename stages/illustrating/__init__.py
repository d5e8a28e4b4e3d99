"""Pictures beside the report: which moments say something of a person, a decision or a mistake, and how they are drawn."""
