"""How it works: the model in short, every figure, every default, and the limits."""

from __future__ import annotations

import streamlit as st

from simulator.report import glossary, proof
from simulator.web.pictures import picture
from simulator.web.plain import frame, plain
from simulator.words import profiles

st.title("How it works")
st.markdown(
    """
A release of one service is played again and again, from the decision to deploy until it is
over: with good releases and with bad ones of every kind, and with each strategy in turn. In
one replication **every strategy meets the same luck**: the same defect, the same slow starts,
the same noise. So a difference between two strategies is the strategies' own.

[The model](#model) · [The figures](#figures) · [What is assumed](#assumed) ·
[Your own rollout](#brought) · [Why trust it](#trust) · [The limits](#limits)
"""
)

st.header("The model in pictures", anchor="model")
st.subheader("One bad release")
picture("one-release")
st.markdown(
    """
- **The script.** A strategy is a script: start instances, shift traffic, wait and watch, go on
  or go back. Instances take time to start, and some starts fail.
- **The defect.** Some releases are bad: requests fail, for everyone or for a few; answers are
  late; instances crash, leak, or give way under load; data is written wrongly; two versions
  do not get along. How severe a defect is, is drawn for each release.
- **The detection.** Alarms look at one period after the other and are heard with a delay; burn
  rates, judges, health checks, smoke tests, people who report, and audits may stand beside
  them. A detector that the scenario does not have finds nothing, and every detector may cry
  wolf over a good release.
- **The response.** While the rollout is watched it goes back by itself; later somebody is
  paged, reads, decides, and takes longer at night. What was lost until everything is back is
  counted, and so is what no rollback brings back.
"""
)
st.subheader("Events are played, requests are counted")
picture("two-planes")
st.markdown(
    """
- **The traffic.** Requests arrive at a constant rate, along a day, or along a measured trace.
  A version that gets more than its instances can carry rejects the rest. Sticky users stay on
  one version; otherwise each request is weighed by itself.
- A second model, slow and independent, plays **every single request** and has to agree.
"""
)
st.subheader("The same luck for every strategy")
picture("same-luck")
st.markdown(
    """
- **The answer.** Good and bad releases are played in separate groups, so that rare ones are
  known as well as common ones, and weighed by how often they occur. Intervals in brackets are
  95 % intervals of that simulation error alone.
"""
)

st.header("Every figure", anchor="figures")
st.markdown(
    "Times count from the decision to deploy or from the moment named. A figure that does not "
    "apply in a replication (nothing was detected, nothing rolled back) is left out of its mean. "
    f"Less is better, except for {plain(glossary.more_is_better())}."
)
st.table(frame(glossary.figures(), glossary.FIGURE), hide_index=True)

st.header("What is assumed", anchor="assumed")
st.markdown(
    "What a scenario does not say comes from its profile or from the table of defaults. Each has a "
    "plausible range, a source, and says whether it was measured or is judgement."
)
profile = st.selectbox(
    "With the values of the profile",
    ["none", *profiles.names()],
    key="platform",
    bind="query-params",
    help="A profile is a platform: its start-up, prices, health checks and people.",
)
st.dataframe(
    glossary.defaults(None if profile == "none" else profile),
    hide_index=True,
    width="stretch",
    alt="Every default: path, value, low, high, kind and source",
)
st.caption("The same on a terminal: `deploysim defaults`. Which of them matter, a comparison says.")

st.header("Your own rollout", anchor="brought")
st.markdown(
    """
On the page Import manifests become a scenario; `deploysim import` does the same.

- **Every field has a fate.** It went into the scenario as it is or in another form, it cannot
  change the course of a rollout, or it was left out though it might; each with the reason and
  what follows.
- **What no manifest says is assumed**: traffic, users, how often releases are bad, prices. Each
  has a plausible range; those that move the answer most stand first.
- **Other ways to write it** are the same manifests with a few fields changed, read again, and
  played against the same releases. The patch is the fields that change.
- What would have to be known of the world outside the manifests (who answers the pager, what
  other alarms there are) is a default until you state it.
"""
)

st.header("Why trust it", anchor="trust")
parts = proof.sections()
st.markdown(
    "What is known without the engine stands beside what the engine says: closed forms, whole "
    "distributions, published results, and a model that plays every request. *Off* is the distance "
    "in standard errors; chance alone makes it more than 2 in one row of twenty, and more than 4 "
    "is a failure. The suite plays it again at every change."
)
if parts:
    st.table(frame(proof.summary(parts), proof.SUMMARY), hide_index=True)
    with st.expander("Every row", on_change="rerun", key="every row") as rows:
        if rows.open:
            title = st.selectbox(
                "Part", [part.title for part in parts], key="part", persist_state="session"
            )
            part = next(part for part in parts if part.title == title)
            st.table(frame(part.rows, part.heads), hide_index=True)
else:
    st.info("The validation page is not in this installation; `make validate` writes it.")

st.header("The limits", anchor="limits")
st.markdown(
    """
- It is **one release of one service**. Releases in a row, and services that pull each other
  down, are not played.
- It is as good as its inputs. How often releases are bad and how severe they are is the least
  known and matters most: change it on Compare, and look at where the recommendation flips.
- Shedding is perfect: a version that is overloaded serves as much as it can and rejects the
  rest. Real services may do worse.
- A service that is overloaded without any deployment is not held against a deployment, and
  alarms do not see that part.
- Requests on the bad version are expected numbers, not drawn ones; failed requests are drawn.
- A detector sees the numbers that it watches, not why they moved; people are a delay and a
  share that reports, nothing more.
"""
)
