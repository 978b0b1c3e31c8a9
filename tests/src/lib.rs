//! System tests that start real binaries. The tests are in `tests/it`; the clients that nobody here wrote in `clients`.
