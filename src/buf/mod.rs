//! `BodyBuf`.
