"""What tests share: stores, installations, work that is killed, samples. docs/contributing.md tells what is where."""
