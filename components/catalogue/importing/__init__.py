"""From what people have (any sheet, class folders, COCO, Hugging Face) to a catalogue of Lookbook's layout."""
