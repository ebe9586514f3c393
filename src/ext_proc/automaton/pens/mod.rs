//! Pens: each has the answers that are legal where it is given out, and moves the lane as it
//! writes.
//!
//! This module never decides what is legal.

mod buffered_pen;
mod duplex_pen;
mod duplex_trailers_pen;
mod hand;
mod headers_pen;
mod immediate_pen;
mod override_pen;
mod replace_pen;
mod streamed_pen;
#[cfg(test)]
mod tests;
mod trailers_pen;

pub use buffered_pen::BufferedPen;
pub use duplex_pen::DuplexPen;
pub use duplex_trailers_pen::DuplexTrailersPen;
pub use headers_pen::HeadersPen;
pub use immediate_pen::ImmediatePen;
pub use override_pen::OverridePen;
pub use replace_pen::ReplacePen;
pub use streamed_pen::StreamedPen;
pub use trailers_pen::TrailersPen;

pub(super) use hand::Hand;
