//! What is kept and what survives: blocks and state in sled made durable, and the promise journal.
