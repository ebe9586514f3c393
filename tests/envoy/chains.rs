//! Two processors in one chain of Envoy's filters (P22).

use super::harness::client::{Call, Http};
use super::harness::origin::Plan;
use super::harness::pattern::{client, origin};
use super::harness::rig::rig;
use super::harness::sending::{Sending, down, up};

#[test]
fn p22_two_processors_in_a_row_pass_bodies_and_trailers_on_in_every_pair_of_modes() {
    rig().run(async {
        let chains = rig().served.iter().filter(|served| served.name.starts_with("chain_"));
        for served in chains {
            for http in Http::BOTH {
                for trailers in [false, true] {
                    let ends =
                        |body: Sending| if trailers { body.with_trailers("t") } else { body };
                    let call = Call::post(http, ends(up(70_000))).via(http);
                    let plan = Plan::sends(ends(down(80_000)));
                    let mut case = rig().case(&served.name, call, plan).await;
                    case.assert_response(200, &origin(80_000).flipped());
                    let seen = case.assert_request(&client(70_000).flipped()).await;
                    let came = [&seen.body, case.answer.body()].map(|it| it.trailer("x-sum"));
                    assert_eq!(came, [trailers.then_some("t"); 2], "{case}");
                }
            }
        }
    });
}
