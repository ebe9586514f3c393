//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::cores::Cores;
use crate::mode::Mode;
use crate::part::Part;

/// What this process is for.
pub(crate) enum Command {
    Measure(Options),
    Serve(Serve),
}

/// What is measured, and how long.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) parts: Vec<Part>,
    /// How often each contender has its turn.
    pub(crate) rounds: usize,
    /// Large bodies in a turn, each way.
    pub(crate) bodies: usize,
    /// Small requests in a turn.
    pub(crate) requests: usize,
    /// Worker threads of each contender and each processor.
    pub(crate) workers: usize,
    pub(crate) cores: Cores,
    /// The programs that are built or fetched elsewhere.
    pub(crate) proxy: PathBuf,
    pub(crate) envoy: PathBuf,
    /// The page that is written.
    pub(crate) page: Option<PathBuf>,
}

/// A server of this program, in a process of its own.
pub(crate) struct Serve {
    pub(crate) who: Who,
    pub(crate) port: u16,
    pub(crate) workers: usize,
}

/// Which server.
pub(crate) enum Who {
    Origin,
    Hyper { origin: SocketAddr },
    Tidegate(Mode),
    Tonic(Mode),
}

impl Command {
    pub(crate) fn parse(args: &[String]) -> Result<Self, String> {
        match args.split_first() {
            Some((first, rest)) if first == "serve" => {
                Serve::parse(rest).map(Self::Serve).ok_or("serve what?".to_owned())
            }
            _ => Options::parse(args).map(Self::Measure),
        }
    }
}

impl Serve {
    fn parse(args: &[String]) -> Option<Self> {
        let [port, workers, who @ ..] = args else { return None };
        let who: Vec<&str> = who.iter().map(String::as_str).collect();
        let who = match who[..] {
            ["origin"] => Who::Origin,
            ["hyper", origin] => Who::Hyper { origin: origin.parse().ok()? },
            ["tidegate", mode] => Who::Tidegate(Mode::from_name(mode)?),
            ["tonic", mode] => Who::Tonic(Mode::from_name(mode)?),
            _ => return None,
        };
        Some(Self { who, port: port.parse().ok()?, workers: workers.parse().ok()? })
    }
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, String> {
        let (mut parts, mut page, mut is_quick) = (Vec::new(), None, false);
        let (mut rounds, mut bodies, mut requests, mut workers) = (None, None, None, 1);
        let (mut proxy, mut envoy) = (PathBuf::new(), PathBuf::new());
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} of what?"));
            let number = |value: &String| match value.parse() {
                Ok(0) | Err(_) => Err(format!("{arg} {value}: a number above 0 is needed")),
                Ok(number) => Ok(number),
            };
            match arg.as_str() {
                "--quick" => is_quick = true,
                "--rounds" => rounds = Some(number(value()?)?),
                "--bodies" => bodies = Some(number(value()?)?),
                "--requests" => requests = Some(number(value()?)?),
                "--workers" => workers = number(value()?)?,
                "--proxy" => proxy = value()?.into(),
                "--envoy" => envoy = value()?.into(),
                "--page" => page = Some(value()?.into()),
                name => parts.push(Part::from_name(name).ok_or_else(|| {
                    let known = Part::ALL.map(Part::name).join(", ");
                    format!("{name} is no part: there are {known}")
                })?),
            }
        }
        if parts.is_empty() {
            parts.extend(Part::ALL);
        }
        let of = |quick, full| if is_quick { quick } else { full };
        let rounds = rounds.unwrap_or(of(1, 5));
        Ok(Self {
            parts,
            rounds,
            bodies: bodies.unwrap_or(of(1, 6)),
            requests: requests.unwrap_or(of(640, 3200)),
            workers,
            cores: Cores::divide(),
            proxy,
            envoy,
            page: page.filter(|_| !is_quick),
        })
    }
}
