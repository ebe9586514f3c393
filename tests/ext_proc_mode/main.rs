//! What an external processor is given of a message: modes, configurations, overrides.

mod capabilities;
mod cautions;
mod every_field;
mod modes;
mod overrides;
mod rows;
mod rows_say;
mod rows_text;
mod says;
mod text;
