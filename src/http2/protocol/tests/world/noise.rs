use super::Draw;
use super::frame;

/// What a client that keeps to no rules sends: frames of any kind with any payload, legal ones at
/// wrong times, bytes.
pub(super) fn noise(draw: &mut Draw<'_>) -> Vec<u8> {
    let stream = draw(12) as u32;
    let flags = match draw(3) {
        0 => draw(256) as u8,
        _ => frame::END_HEADERS | draw(2) as u8,
    };
    match draw(12) {
        0 => bytes(draw, 20),
        1 => frame::request(stream, draw(2) == 0),
        2 => frame::frame(frame::HEADERS, flags, stream, &frame::trailers_block(stream)),
        3 => frame::data(stream, &bytes(draw, 40), draw(2) == 0),
        4 => frame::padded(stream, &bytes(draw, 8), draw(256) as u8, draw(2) == 0),
        5 => number(frame::WINDOW_UPDATE, stream, draw),
        6 => number(frame::RST_STREAM, stream, draw),
        7 => {
            let (of, value) = (draw(8) as u16, large(draw));
            frame::frame(frame::SETTINGS, draw(8) as u8 / 7, 0, &frame::setting(of, value))
        }
        8 => frame::frame(frame::GOAWAY, 0, 0, &bytes(draw, 12)),
        9 => frame::frame(frame::CONTINUATION, flags, stream, &bytes(draw, 9)),
        10 => frame::frame(frame::HEADERS, flags, stream, &bytes(draw, 30)),
        _ => {
            let kind = draw(12) as u8;
            frame::frame(kind, flags, stream, &bytes(draw, 20))
        }
    }
}

fn number(kind: u8, stream: u32, draw: &mut Draw<'_>) -> Vec<u8> {
    frame::frame(kind, 0, stream, &large(draw).to_be_bytes())
}

/// Small ones, and those around the edges.
fn large(draw: &mut Draw<'_>) -> u32 {
    let near = draw(4) as u32;
    match draw(5) {
        0 => near,
        1 => (1 << 14) + near - 2,
        2 => (1 << 24) + near - 2,
        3 => (1u32 << 31).wrapping_add(near) - 2,
        _ => draw(100_000) as u32,
    }
}

fn bytes(draw: &mut Draw<'_>, most: usize) -> Vec<u8> {
    (0..draw(most + 1)).map(|_| draw(256) as u8).collect()
}
