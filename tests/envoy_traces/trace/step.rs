//! What is done to a chain from outside.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Direction, Text};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) enum Step {
    /// A peer sends something.
    Input(Direction, Input),
    /// A filter's event of this number, from outside any callback.
    Fire(String, usize),
    /// In milliseconds.
    Sleep(u64),
    /// The client's window grows by so many bytes.
    ClientWindow(u64),
    /// The origin's window grows by so many bytes.
    OriginWindow(u64),
    /// The client sends all of it in one write.
    Batch(Vec<Self>),
    /// The client closes its connection; always the last step, and in no script.
    ClientClose,
}

/// What a peer sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Headers {
        end: bool,
        method: Option<String>,
        content_length: Option<u64>,
    },
    Data {
        data: Text,
        end: bool,
    },
    /// An empty last frame.
    End,
    Trailers(BTreeMap<String, String>),
    Reset,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Headers {
    #[serde(default)]
    end: bool,
    method: Option<String>,
    content_length: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    req_headers: Option<Headers>,
    req_data: Option<Text>,
    req_end: Option<bool>,
    req_trailers: Option<BTreeMap<String, String>>,
    req_reset: Option<bool>,
    rsp_headers: Option<Headers>,
    rsp_data: Option<Text>,
    rsp_end: Option<bool>,
    rsp_trailers: Option<BTreeMap<String, String>>,
    rsp_reset: Option<bool>,
    end: Option<bool>,
    fire: Option<(String, usize)>,
    sleep: Option<u64>,
    client_window: Option<u64>,
    origin_window: Option<u64>,
    batch: Option<Vec<Step>>,
    client_close: Option<bool>,
}

impl TryFrom<Written> for Step {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        use Direction::{Request, Response};
        let end = written.end == Some(true);
        let mut steps = Vec::new();
        let mut input = |direction, input: Option<Input>| {
            steps.extend(input.map(|input| Self::Input(direction, input)));
        };
        input(Request, written.req_headers.map(Headers::input));
        input(Request, written.req_data.map(|data| Input::Data { data, end }));
        input(Request, flag(written.req_end, Input::End)?);
        input(Request, written.req_trailers.map(Input::Trailers));
        input(Request, flag(written.req_reset, Input::Reset)?);
        input(Response, written.rsp_headers.map(Headers::input));
        input(Response, written.rsp_data.map(|data| Input::Data { data, end }));
        input(Response, flag(written.rsp_end, Input::End)?);
        input(Response, written.rsp_trailers.map(Input::Trailers));
        input(Response, flag(written.rsp_reset, Input::Reset)?);
        steps.extend(written.fire.map(|(filter, n)| Self::Fire(filter, n)));
        steps.extend(written.sleep.map(Self::Sleep));
        steps.extend(written.client_window.map(Self::ClientWindow));
        steps.extend(written.origin_window.map(Self::OriginWindow));
        steps.extend(written.batch.map(Self::Batch));
        steps.extend(flag(written.client_close, Self::ClientClose)?);
        let [step] = <[Self; 1]>::try_from(steps).map_err(|all| format!("one step: {all:?}"))?;
        if end && !matches!(step, Self::Input(_, Input::Data { .. })) {
            return Err(format!("an end beside {step:?}"));
        }
        Ok(step)
    }
}

/// What is there is said to be true.
fn flag<T>(written: Option<bool>, value: T) -> Result<Option<T>, String> {
    match written {
        Some(true) => Ok(Some(value)),
        Some(false) => Err("a step that is not done".to_owned()),
        None => Ok(None),
    }
}

impl Headers {
    fn input(self) -> Input {
        let Self { end, method, content_length } = self;
        Input::Headers { end, method, content_length }
    }
}
