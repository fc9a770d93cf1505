"""What the operating system gives: files, sound files, processes, signals, streams, the machine; and how loud sound may be."""
