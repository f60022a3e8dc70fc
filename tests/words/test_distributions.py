"""Laws: mean, quantiles, the slowest of n, and how they are written in a scenario."""

from __future__ import annotations

import math
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import integrate, stats

from simulator.words.distributions import (
    Capped,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    LogNormal,
    Normal,
    RandomDuration,
    RandomFactor,
    RandomShare,
    Triangular,
    Uniform,
    Weibull,
)

FILE = {"source": "file"}
DURATION: TypeAdapter[Distribution] = TypeAdapter(RandomDuration)
SHARE: TypeAdapter[Distribution] = TypeAdapter(RandomShare)
FACTOR: TypeAdapter[Distribution] = TypeAdapter(RandomFactor)

SMOOTH: list[Distribution] = [
    Exponential(scale=60),
    LogNormal(median=50, sigma=0.5),
    Normal(centre=60, sd=20),
    Normal(centre=10, sd=40),
    Uniform(low=20, high=90),
    Triangular(low=30, mode=45, high=120),
    Triangular(low=0, mode=0, high=10),
    Triangular(low=0, mode=10, high=10),
    Weibull(scale=1200, shape=0.8),
    Empirical(values=(1, 2, 5, 9)),
]
LAWS: list[Distribution] = [
    *SMOOTH,
    Constant(value=45),
    Empirical(values=(5, 5, 5)),
    LogNormal(median=0.03, sigma=1.7).capped(1),
    Exponential(scale=60).capped(30),
]
PROBABILITIES = st.floats(1e-12, 1 - 1e-12)


def read(value: Any, adapter: TypeAdapter[Distribution] = DURATION) -> Distribution:
    return adapter.validate_python(value, context=FILE)


@pytest.mark.parametrize("law", SMOOTH, ids=str)
@given(p=PROBABILITIES)
def test_the_distribution_function_undoes_the_quantile(law: Distribution, p: float) -> None:
    assert law.cdf(law.quantile(p)) == pytest.approx(p, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=str)
@given(p=PROBABILITIES, q=PROBABILITIES)
def test_quantiles_rise_and_are_never_negative(law: Distribution, p: float, q: float) -> None:
    low, high = law.quantile(min(p, q)), law.quantile(max(p, q))
    assert 0 <= low <= high * (1 + 1e-12)
    assert law.sample(p) == law.quantile(p)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_scalar_calls_give_plain_floats(law: Distribution) -> None:
    values = (law.mean(), law.quantile(0.3), law.upper_quantile(0.3), law.sample(0.3))
    assert {type(v) for v in (*values, law.maximum(10, 0.3), law.cdf(3.0))} == {float}


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_distribution_function_of_an_array_is_that_of_its_numbers(law: Distribution) -> None:
    x = np.linspace(-5, 200, 83)
    assert law.cdf(x) == pytest.approx([law.cdf(float(one)) for one in x], abs=1e-15)
    assert law.cdf(-1.0) == 0
    assert law.cdf(1e9) == pytest.approx(1, abs=1e-15)


def test_a_distribution_function_jumps_where_values_repeat() -> None:
    law = Empirical(values=(5, 5, 5))
    assert (law.cdf(4.999), law.cdf(5.0)) == (0, 1)
    capped = Exponential(scale=60).capped(30)
    assert capped.cdf(30.0) == 1
    assert capped.cdf(29.0) == Exponential(scale=60).cdf(29.0)


@pytest.mark.parametrize(
    ("law", "peer"),
    [
        (Exponential(scale=60), stats.expon(scale=60)),
        (LogNormal(median=50, sigma=0.5), stats.lognorm(0.5, scale=50)),
        (Uniform(low=20, high=90), stats.uniform(20, 70)),
        (Triangular(low=30, mode=45, high=120), stats.triang(1 / 6, 30, 90)),
        (Weibull(scale=1200, shape=0.8), stats.weibull_min(0.8, scale=1200)),
    ],
    ids=["exponential", "log-normal", "uniform", "triangular", "Weibull"],
)
def test_laws_are_those_of_scipy(law: Distribution, peer: Any) -> None:
    assert law.mean() == pytest.approx(peer.mean(), rel=1e-9)
    for p in (1e-6, 0.05, 0.5, 0.95, 0.999):
        assert law.quantile(p) == pytest.approx(peer.ppf(p), rel=1e-9)
    for survival in (1e-3, 1e-9, 1e-15):
        assert law.upper_quantile(survival) == pytest.approx(peer.isf(survival), rel=1e-8)
    x = peer.ppf(np.linspace(0.01, 0.99, 50))
    assert law.cdf(x) == pytest.approx(peer.cdf(x), rel=1e-9)


@pytest.mark.parametrize(("centre", "sd"), [(60, 20), (10, 40)])
def test_a_normal_law_is_the_one_given_that_it_is_not_negative(centre: float, sd: float) -> None:
    """P(X > x) = Q((x - centre) / sd) / Q(-centre / sd), Q the normal survival function."""
    law, peer = Normal(centre=centre, sd=sd), stats.norm(centre, sd)
    assert law.mean() == pytest.approx(stats.truncnorm(-centre / sd, math.inf, centre, sd).mean())
    for survival in (0.9, 0.5, 1e-3, 1e-9, 1e-15):
        expected = peer.isf(survival * peer.sf(0))
        assert law.upper_quantile(survival) == pytest.approx(expected, rel=1e-9)
    x = np.linspace(0, centre + 4 * sd, 50)[1:]
    assert law.cdf(x) == pytest.approx(1 - peer.sf(x) / peer.sf(0), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_mean_is_that_of_samples(law: Distribution) -> None:
    """20 000 stratified samples, which are never worse than independent ones: 4 standard errors."""
    luck = (np.arange(20_000) + np.random.default_rng(1).random(20_000)) / 20_000
    values = np.array([law.sample(float(u)) for u in luck])
    error = max(float(np.std(values)) / math.sqrt(len(values)), 1e-12)
    assert law.mean() == pytest.approx(float(np.mean(values)), abs=4 * error)


def test_the_slowest_of_n_starts() -> None:
    """m H_n for exponential starts; 179.47 s for 100 log-normal ones by an independent sum."""
    harmonic = math.fsum(1 / k for k in range(1, 11))
    ten = Exponential(scale=60).mean_of_maximum(10)
    assert ten == pytest.approx(60 * harmonic, rel=1e-9)
    assert ten == pytest.approx(175.74, abs=0.005)
    assert LogNormal(median=50, sigma=0.5).mean_of_maximum(100) == pytest.approx(179.47, abs=0.005)


@pytest.mark.parametrize("law", SMOOTH, ids=str)
@pytest.mark.parametrize("n", [1, 7, 1000])
def test_the_mean_of_the_slowest_is_the_integral_of_its_survival(law: Distribution, n: int) -> None:
    end = law.upper_quantile(1e-13 / n)
    grid = np.concatenate([[0.0], np.geomspace(end * 1e-9, end, 400_001)])
    expected = integrate.trapezoid(1 - law.cdf(grid) ** n, grid)
    assert law.mean_of_maximum(n) == pytest.approx(expected, rel=1e-3 if n == 1000 else 1e-4)


@pytest.mark.parametrize("law", LAWS, ids=str)
@given(n=st.integers(1, 10_000), luck=st.floats(1e-6, 1 - 1e-9))
def test_the_slowest_of_n_is_the_quantile_of_the_nth_root(
    law: Distribution, n: int, luck: float
) -> None:
    assert law.maximum(n, luck) >= law.sample(luck) * (1 - 1e-9) - 1e-9
    assert law.maximum(n, luck) == pytest.approx(law.quantile(luck ** (1 / n)), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("luck", [5e-324, 1e-17, 1 - 2**-53])
def test_the_luckiest_and_unluckiest_draws_are_finite(law: Distribution, luck: float) -> None:
    for value in (law.sample(luck), law.maximum(1, luck), law.maximum(10**6, luck)):
        assert 0 <= value < math.inf


def test_the_widest_laws_do_not_overflow() -> None:
    for law in (LogNormal(median=1e15, sigma=20), Weibull(scale=1e15, shape=0.05)):
        assert 0 < law.mean() < math.inf
        assert 0 < law.maximum(10**6, 1 - 2**-53) < math.inf


def test_a_cap_is_a_cap() -> None:
    """E min(X, c) = m (1 - exp(-c/m)) for an exponential X of mean m."""
    law = Exponential(scale=60).capped(30)
    assert law.mean() == pytest.approx(60 * -math.expm1(-0.5), rel=1e-9)
    assert law.quantile(0.99) == 30
    assert law.capped(40) is law
    assert law.capped(20) == Exponential(scale=60).capped(20)
    assert Constant(value=5).capped(1) == Constant(value=1)


@pytest.mark.parametrize("sigma", [0.5, 1.7, 3])
def test_the_mean_of_a_capped_log_normal(sigma: float) -> None:
    """E min(X, 1) = mean Phi(z - sigma) + 1 - Phi(z), z = -log(median) / sigma."""
    law, z = LogNormal(median=0.03, sigma=sigma), -math.log(0.03) / sigma
    expected = law.mean() * stats.norm.cdf(z - sigma) + stats.norm.sf(z)
    assert law.capped(1).mean() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_laws_are_frozen_comparable_and_travel(law: Distribution) -> None:
    law.mean()
    twin: Distribution = pickle.loads(pickle.dumps(law))
    assert (twin, hash(twin)) == (law, hash(law))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(law, next(iter(type(law).model_fields)), 1.0)


def test_only_a_constant_is_constant() -> None:
    assert [law for law in LAWS if law.constant] == [Constant(value=45)]


@pytest.mark.parametrize(
    ("written", "law"),
    [
        ("90s", Constant(value=90)),
        ({"exponential": {"mean": "60s"}}, Exponential(scale=60)),
        ({"lognormal": {"median": "90s", "sigma": 0.5}}, LogNormal(median=90, sigma=0.5)),
        ({"lognormal": {"median": "90s", "sigma": 0}}, LogNormal(median=90, sigma=0)),
        ({"normal": {"mean": "3m", "sd": "1m"}}, Normal(centre=180, sd=60)),
        ({"uniform": {"low": "0s", "high": "1m"}}, Uniform(low=0, high=60)),
        (
            {"triangular": {"low": "30s", "mode": "45s", "high": "2m"}},
            Triangular(low=30, mode=45, high=120),
        ),
        ({"weibull": {"scale": "20m", "shape": 0.8}}, Weibull(scale=1200, shape=0.8)),
        ({"empirical": ["3s", "1s", "2s"]}, Empirical(values=(1, 2, 3))),
    ],
)
def test_laws_are_read_and_written(written: Any, law: Distribution) -> None:
    assert read(written) == law
    assert read(DURATION.dump_python(law)) == law


def test_other_parameters_of_a_log_normal() -> None:
    law = read({"lognormal": {"median": "110s", "p95": "220s"}})
    assert (law.quantile(0.5), law.quantile(0.95)) == pytest.approx((110, 220), rel=1e-12)
    law = read({"lognormal": {"mean": "15m", "sd": "10m"}})
    assert law.mean() == pytest.approx(900, rel=1e-12)
    spread = integrate.quad(lambda u: law.sample(u) ** 2, 1e-12, 1 - 1e-12, limit=500)[0]
    assert math.sqrt(spread - 900**2) == pytest.approx(600, rel=1e-3)
    law = read(["25s", "35s"])
    assert (law.quantile(0.05), law.quantile(0.95)) == pytest.approx((25, 35), rel=1e-12)


@given(st.floats(1e-3, 1e9), st.floats(1.001, 1e6))
def test_what_is_computed_reads_back_exactly(low: float, ratio: float) -> None:
    law = read([f"{low!r}s", f"{low * ratio!r}s"])
    assert read(DURATION.dump_python(law)) == law


def test_shares_are_capped_at_everything() -> None:
    law = read({"lognormal": {"median": "3%", "p95": "50%"}}, SHARE)
    assert isinstance(law, Capped)
    assert law.sample(1 - 1e-9) == 1
    assert SHARE.dump_python(law)["lognormal"]["median"] == "3%"
    assert read(SHARE.dump_python(law), SHARE) == law
    assert SHARE.validate_python(Exponential(scale=3)).sample(0.9) == 1
    assert read("5%", SHARE) == Constant(value=0.05)


def test_factors_have_no_unit() -> None:
    assert read(1.5, FACTOR) == Constant(value=1.5)
    law = read([1.2, 3], FACTOR)
    assert (law.quantile(0.05), law.quantile(0.95)) == pytest.approx((1.2, 3), rel=1e-12)
    assert read(FACTOR.dump_python(law), FACTOR) == law


def test_bare_numbers_are_for_python() -> None:
    assert DURATION.validate_python(90) == Constant(value=90)
    with pytest.raises(ValidationError, match="write 90s"):
        read(90)
    with pytest.raises(ValidationError, match="write 90s"):
        read({"exponential": {"mean": 90}})


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"gamma": {"mean": "60s"}}, "use one of exponential, lognormal"),
        ({"exponential": {"median": "60s"}}, "exponential needs {mean}"),
        ({"exponential": "60s"}, "exponential needs {mean}"),
        ({"exponential": {"mean": "0s"}}, "mean must be above 0"),
        ({"lognormal": {"median": "60s"}}, "{median, sigma} or {median, p95} or {mean, sd}"),
        ({"lognormal": {"median": "60s", "p95": "50s"}}, "p95 must not be below the median"),
        ({"lognormal": {"median": "60s", "sigma": 25}}, "lognormal: sigma: input should be less"),
        ({"normal": {"mean": "60s", "sd": "0s"}}, "sd must be above 0"),
        ({"uniform": {"low": "60s", "high": "60s"}}, "uniform: low must be below high"),
        (
            {"triangular": {"low": "3s", "mode": "2s", "high": "4s"}},
            "triangular: low, mode, high must be in order",
        ),
        ({"weibull": {"scale": "60s", "shape": 0}}, "shape must be above 0"),
        ({"weibull": {"scale": "60s", "shape": 1e-9}}, "weibull: shape: "),
        ({"empirical": ["60s"]}, "at least two values"),
        ({"empirical": 5}, "a list of values or the name of a CSV file"),
        ({"empirical": "none-such.csv"}, "cannot read 'none-such.csv'"),
        (["25s"], "a list means a 90 % interval"),
        (["35s", "25s"], "the first must be above 0 and the smaller"),
        (["0s", "25s"], "the first must be above 0 and the smaller"),
        ({}, "name one law"),
        ({"exponential": {"mean": "60s"}, "uniform": {}}, "name one law"),
        (True, "write e.g. 90s"),
    ],
)
def test_a_wrong_law_names_the_fix(written: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        read(written)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Exponential(scale=-1),
        lambda: LogNormal(median=math.nan, sigma=1),
        lambda: Constant(value=math.inf),
        lambda: Uniform(low=5, high=1),
        lambda: Triangular(low=1, mode=0, high=2),
        lambda: Empirical(values=(1,)),
    ],
)
def test_laws_made_in_python_are_checked_too(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        wrong()


def from_csv(
    text: str | bytes, folder: Path, adapter: TypeAdapter[Distribution] = DURATION
) -> Distribution:
    (folder / "times.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    context = FILE | {"folder": str(folder)}
    return adapter.validate_python({"empirical": "times.csv"}, context=context)


@pytest.mark.parametrize(
    "text",
    [
        "3\n1\n2\n",
        "3s\n1s\n2s\n",
        "PT3S\nPT1S\nPT2S\n",
        "startup_p95\n3\n1\n\n2\n",
        "when,value\n10:00,3\n10:01,1s\n10:02,2\n",
        "\ufeffvalue\r\n3\r\n1\r\n2\r\n",
        "value,when\n3,10:00\n1,10:01\n 2 ,10:02\n",
    ],
)
def test_values_come_from_a_column(text: str, tmp_path: Path) -> None:
    assert from_csv(text, tmp_path) == Empirical(values=(1, 2, 3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,value\n10:00,3\n10:01\n", "times.csv:3: has no such column"),
        ("1\n2\nthree\n", "times.csv:3: 'three' is not a duration"),
        ("1\n-2\n", "times.csv:2: '-2' is not a duration"),
        ("-1\n2\n3\n", "times.csv:1: '-1' is not a duration"),
        ("nan\n2\n3\n", "times.csv:1: 'nan' is not a duration"),
        ("1\n1e999\n", "times.csv:2: "),
        ("", "at least two values"),
        ("value\n1\n", "at least two values"),
        (b"\xff\xfe\x00", "is not a CSV file"),
        ('"' + "1" * 200_000, "is not a CSV file"),
    ],
)
def test_a_wrong_column_names_the_line(text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        from_csv(text, tmp_path)


def test_shares_in_a_column_are_shares(tmp_path: Path) -> None:
    law = from_csv("1%\n0.05\n", tmp_path, SHARE)
    assert isinstance(law, Capped)
    assert law.law == Empirical(values=(0.01, 0.05))
    with pytest.raises(ValidationError, match=r"times.csv:2: 500% is above 100%"):
        from_csv("1\n5\n", tmp_path, SHARE)
