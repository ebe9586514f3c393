//! The automaton alone: messages in any order, pens used or dropped, and a checker beside it.

use bytes::Bytes;
use http::StatusCode;
use tidegate::BodyBuf;
use tidegate::exchange::Direction;
use tidegate::ext_proc::automaton::{Ledger, Owes, Received};
use tidegate::ext_proc::mode::ProcessingMode;
use tidegate::ext_proc::wire::{HeaderMutation, Reply};

use super::oracle::{Log, Said};
use super::{Choices, Tell, direction};

const RECEIVED: [Received; 5] = [
    Received::Headers { end_of_stream: false },
    Received::Headers { end_of_stream: true },
    Received::Body { end_of_stream: false },
    Received::Body { end_of_stream: true },
    Received::Trailers,
];

const SAID: [Said; 6] =
    [Said::Headers, Said::Whole, Said::Body, Said::Piece, Said::LastPiece, Said::Trailers];

struct Case {
    ledger: Ledger,
    /// Is told what the other one writes.
    checker: Ledger,
    request: Log,
    response: Log,
    is_over: bool,
}

pub(super) fn play(mode: ProcessingMode, choices: &mut Choices<'_>, tell: Tell<'_>) {
    let mut case = Case {
        ledger: Ledger::new(mode),
        checker: Ledger::new(mode),
        request: Log::new(mode.request),
        response: Log::new(mode.response),
        is_over: false,
    };
    while !choices.is_empty() {
        let direction = direction(choices);
        match choices.below(16) {
            0..8 => case.receive(direction, RECEIVED[choices.below(RECEIVED.len())], tell),
            8..14 => case.write(direction, choices.below(SAID.len()), tell),
            14 => case.override_mode(direction, super::direction_mode(choices), tell),
            _ => case.reply(choices.percent(30), tell),
        }
        case.compare(direction);
    }
}

impl Case {
    fn log(&mut self, direction: Direction) -> &mut Log {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    fn receive(&mut self, direction: Direction, received: Received, tell: Tell<'_>) {
        let result = self.ledger.receive(direction, received);
        tell(&|| format!("{direction} {received:?}: {result:?}"));
        assert_eq!(self.checker.receive(direction, received), result);
        let (is_over, log) = (self.is_over, self.log(direction));
        assert_eq!(result.is_ok(), is_over || log.may_come(received), "{log:?}");
        if result.is_ok() && !is_over {
            log.came.push(received);
        }
        if let Err(violation) = result {
            assert!(violation.to_string().starts_with(&direction.to_string()));
        }
    }

    /// Writes the answer with this number, if the pen there is has one, and asks whether it should.
    fn write(&mut self, direction: Direction, number: usize, tell: Tell<'_>) {
        let before = self.ledger.clone();
        let written = write(&mut self.ledger, direction, SAID[number]);
        let (said, is_over) = (SAID[number], self.is_over);
        tell(&|| format!("{direction} {said:?}: {written:?}"));
        let log = self.log(direction);
        assert_eq!(written.is_some(), !is_over && log.may_say(said), "{log:?}");
        let Some(reply) = written else {
            assert_eq!(self.ledger, before, "a pen that was not used");
            return;
        };
        log.said.push(said);
        assert_eq!(self.checker.reply(&reply), Ok(()));
        // Once more, it is another answer, and mostly one too many.
        let mut twice = self.checker.clone();
        let result = twice.reply(&reply);
        assert_eq!(result.is_ok(), self.log(direction).may_say(said), "{result:?}");
    }

    fn override_mode(
        &mut self,
        direction: Direction,
        mode: tidegate::ext_proc::mode::DirectionMode,
        tell: Tell<'_>,
    ) {
        let current = ProcessingMode::new(self.request.mode, self.response.mode);
        let wanted = current.with(direction, mode);
        let before = self.ledger.clone();
        let Ok(pen) = self.ledger.mode_override(direction, wanted) else {
            assert_eq!(self.ledger, before);
            return;
        };
        let reply = pen.answer(HeaderMutation::new());
        tell(&|| format!("{direction} override: {reply:?}"));
        assert!(!self.is_over && self.log(direction).may_say(Said::Headers));
        let log = self.log(direction);
        assert!(log.came.len() == 1 || log.mode == mode, "something came behind the head");
        assert_eq!(self.checker.reply(&reply), Ok(()));
        let log = self.log(direction);
        // The head has come: whether heads do says nothing any more.
        log.mode = mode.with_headers(log.mode.headers());
        log.said.push(Said::Headers);
    }

    fn reply(&mut self, is_used: bool, tell: Tell<'_>) {
        let may = !self.is_over && !self.response.has_gone();
        let Some(pen) = self.ledger.immediate() else {
            assert!(!may, "{:?}", self.response);
            return;
        };
        assert!(may, "P8: {:?}", self.response);
        if is_used {
            let (none, body) = (HeaderMutation::new(), BodyBuf::new());
            let reply = pen.answer(StatusCode::FORBIDDEN, none, body, None, Bytes::new());
            tell(&|| format!("{reply:?}"));
            assert_eq!(self.checker.reply(&reply), Ok(()));
            assert!(self.checker.reply(&reply).is_err());
            self.is_over = true;
        }
    }

    fn compare(&mut self, direction: Direction) {
        assert_eq!(self.ledger, self.checker);
        let (is_over, log) = (self.is_over, self.log(direction));
        let (is_settled, has_gone) = (log.is_settled(), log.has_gone());
        let lane = self.ledger.lane(direction);
        assert!(is_over || lane.is_settled() == is_settled, "{lane:?}");
        assert!(is_over || lane.is_head_committed() == has_gone, "{lane:?}");
        assert!(!lane.is_over() || lane.is_settled());
        let settled = self.request.is_settled() && self.response.is_settled();
        assert_eq!(self.ledger.is_complete(), is_over || settled);
        assert!(!self.ledger.is_over() || self.ledger.is_complete());
    }
}

fn write(ledger: &mut Ledger, direction: Direction, said: Said) -> Option<Reply> {
    let none = HeaderMutation::new();
    let body = || BodyBuf::from(Bytes::from_static(b"x"));
    match (ledger.owes(direction), said) {
        (Owes::Headers(pen), Said::Headers) => Some(pen.answer(none)),
        (Owes::Headers(pen), Said::Whole) => Some(pen.ended()?.replace(none, body())),
        (Owes::Buffered(pen), Said::Body) => Some(pen.replace(none, body())),
        (Owes::Streamed(pen), Said::Body) => Some(pen.clear()),
        (Owes::Duplex(pen), Said::Piece) => pen.send(body()),
        (Owes::Duplex(pen), Said::LastPiece) => Some(pen.finish(body())),
        (Owes::DuplexTrailers(pen), Said::Piece) => pen.send(body()),
        (Owes::DuplexTrailers(pen), Said::Trailers) => Some(pen.trailers(none)),
        (Owes::Trailers(pen), Said::Trailers) => Some(pen.answer(none)),
        _ => None,
    }
}
