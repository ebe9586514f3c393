//! Byte counts in, edges out.
