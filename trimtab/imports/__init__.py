"""Price lists of other tools as price files of ours; one file a format."""
