//! What the command lines of all generators share.
