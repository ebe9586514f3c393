/// What carries HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Carrier {
    /// hyper with h2, on a transport of this crate: what everybody's servers have tested. Each byte
    /// of a body is copied once.
    #[default]
    Hyper,
    /// The crate's own: it copies no body, and takes 0.6 to 0.95 of the processor time. See
    /// [`serve_direct`](super::serve_direct()).
    #[cfg(feature = "ext-proc-direct")]
    Direct,
}
