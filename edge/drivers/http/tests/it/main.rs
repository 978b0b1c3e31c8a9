//! What peers of a server notice of its end.

mod goodbye;
