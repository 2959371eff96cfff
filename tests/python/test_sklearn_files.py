"""Real scikit-learn estimators: every array in them comes out under the path of its attributes."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

import joblib
import numpy as np
import pytest
from arrays import assert_same, read
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from cli import Weighbridge

X = np.random.default_rng(1).normal(size=(40, 4))
Y = np.arange(40) % 3
WORDS = [f"word{i % 7} and word{i % 5} again" for i in range(40)]

ESTIMATORS = {
    "linear": lambda: LinearRegression().fit(X, Y),
    "logistic": lambda: LogisticRegression().fit(X, Y),
    "sgd": lambda: SGDClassifier().fit(X, Y),
    "tree": lambda: DecisionTreeClassifier(max_depth=3).fit(X, Y),
    "forest": lambda: RandomForestClassifier(5, max_depth=3).fit(X, Y),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=4).fit(X, Y),
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=3).fit(X, Y),
    "isolation forest": lambda: IsolationForest(n_estimators=3).fit(X),
    "support vectors": lambda: SVC().fit(X, Y),
    "neighbours": lambda: KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
    "bayes": lambda: GaussianNB().fit(X, Y),
    "network": lambda: MLPClassifier((8, 4), max_iter=5).fit(X, Y),
    "gaussian process": lambda: GaussianProcessRegressor().fit(X, Y),
    "clusters": lambda: KMeans(3, n_init=1).fit(X),
    "pipeline": lambda: make_pipeline(StandardScaler(), PCA(2), LogisticRegression()).fit(X, Y),
    "columns": lambda: ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", PCA(1), [2, 3])]).fit(X),
    "categories": lambda: OneHotEncoder().fit(np.array([[0.5, 1], [2.5, 2]])),
    "words": lambda: TfidfVectorizer().fit(WORDS),
}

Arrays = Iterator[tuple[str, np.ndarray[Any, Any]]]


def below(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def arrays_of_array(path: str, array: np.ndarray[Any, Any]) -> Arrays:
    if array.dtype.names:
        for name in array.dtype.names:
            yield from arrays_of_array(below(path, name), array[name])
    elif array.dtype.kind == "O":
        for index, item in enumerate(array.flat):
            yield from arrays_in(below(path, index), item)
    elif array.dtype.kind not in "SUV":
        yield path, array


def arrays_of_object(path: str, value: object) -> Arrays:
    """As pickle sees it: what the class is given, and its state."""
    reduced = value.__reduce_ex__(2)
    if isinstance(reduced, str):
        return
    function, arguments, state, *_ = (*reduced, None)
    for index, item in enumerate(arguments[1:] if function is copyreg.__newobj__ else arguments):
        yield from arrays_in(below(path, f"$args.{index}"), item)
    yield from arrays_in(path, state)


def arrays_in(path: str, value: object) -> Arrays:
    if isinstance(value, np.ndarray):
        yield from arrays_of_array(path, value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from arrays_in(below(path, key), item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from arrays_in(below(path, index), item)
    elif not isinstance(
        value, (type, FunctionType, BuiltinFunctionType, np.generic, np.dtype, str, bytes, float, set, type(None))
    ) and not isinstance(value, int):
        yield from arrays_of_object(path, value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS.keys())
@pytest.mark.parametrize("how", ["pickle 2", "pickle 5", "joblib", "joblib zlib"])
def test_every_array_of_an_estimator(weighbridge: Weighbridge, tmp_path: Path, make: Any, how: str) -> None:
    estimator = make()
    source = tmp_path / "estimator.pkl"
    if how.startswith("pickle"):
        source.write_bytes(pickle.dumps(estimator, int(how[-1])))
    else:
        joblib.dump(estimator, source, compress=3 if how.endswith("zlib") else 0)
    expected = dict(arrays_in("", estimator))
    assert expected
    assert_same(expected, read(weighbridge.convert(source, "--key", ".", "--shared", "copy")))


def test_that_it_is_no_state_dict_is_said(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "estimator.joblib"
    joblib.dump(LinearRegression().fit(X, Y), source)
    codes = {finding["code"] for finding in weighbridge.json("info", source)["findings"]}
    assert "ArrayExtraction" in codes
