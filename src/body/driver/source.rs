//! Reading the source.
//!
//! This module never reads a source after its end.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http_body::Body;

use crate::chain::InputError;
use crate::error::{Error, ErrorKind};
use crate::exchange::Side;
use crate::filter::Head;

/// Gives the side one frame of the source, or its end. The source is let go when it has ended.
pub(super) fn poll_source<B, H>(
    mut source: Pin<&mut Option<B>>,
    side: &mut Side<H>,
    cx: &mut Context<'_>,
) -> Poll<()>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    H: Head,
{
    let Some(mut body) = source.as_mut().as_pin_mut() else { return Poll::Pending };
    let goes_on = match ready!(body.as_mut().poll_frame(cx)) {
        Some(Ok(frame)) => match frame.into_data() {
            Ok(data) => {
                let ended = body.is_end_stream();
                is_taken(side.handle_data(data, ended)) && !ended
            }
            Err(frame) => match frame.into_trailers() {
                Ok(trailers) => {
                    is_taken(side.handle_trailers(trailers));
                    false
                }
                // A kind of frame that http_body does not have yet, and that is no part of the
                // body.
                Err(_) => true,
            },
        },
        Some(Err(error)) => {
            side.handle_reset(Error::with_source(ErrorKind::Reset, H::PEER, error));
            false
        }
        None => {
            is_taken(side.handle_end());
            false
        }
    };
    if !goes_on {
        source.set(None);
    }
    Poll::Ready(())
}

/// Whether more input may follow. The driver keeps the order, and reads only while the chain wants
/// input, so a refusal means that the message has ended meanwhile.
pub(super) fn is_taken(result: Result<(), InputError>) -> bool {
    debug_assert!(
        !matches!(result, Err(InputError::NotWanted(_) | InputError::OutOfOrder)),
        "the driver keeps the order of inputs: {result:?}"
    );
    result.is_ok()
}
