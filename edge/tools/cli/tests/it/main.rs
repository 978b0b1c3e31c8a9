//! The command line as a program, against daemons as programs.

mod publish;
