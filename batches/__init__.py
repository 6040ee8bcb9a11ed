"""What many videos in one call share: jobs out of a table or a folder, their results, presets."""
