/// Which fields of a head a processor may change (`mutation_rules`), as far as they are flags: the
/// two patterns, `allow_expression` and `disallow_expression`, are not modelled.
///
/// What is not allowed is ignored by Envoy and counted, unless `disallow_is_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a field of the configuration")]
pub struct MutationRules {
    /// `host`, `:authority`, `:scheme` and `:method` may be changed too.
    pub allow_all_routing: bool,
    /// Fields that begin with `x-envoy-` may be changed too.
    pub allow_envoy: bool,
    /// No field whose name begins with a colon may be changed.
    pub disallow_system: bool,
    /// No field may be changed.
    pub disallow_all: bool,
    /// A change that is not allowed fails the request with 500, also with `failure_mode_allow`.
    pub disallow_is_error: bool,
}
