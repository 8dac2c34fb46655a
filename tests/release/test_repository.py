"""The release in this repository."""

from autograde import release


def test_the_committed_release_is_what_its_sources_build(repository):
    report = release.build(check_only=True, top=repository)
    assert report
    assert [path for week in report for path in week.changed] == [], "run `python -m autograde build`"


def test_a_second_build_gives_the_same_bytes(repository):
    chosen = release._chosen(None, repository)
    assert release._generate(chosen, repository) == release._generate(chosen, repository)


def test_every_source_gives_a_reference_for_each_of_its_exercises(repository):
    for py in release.sources(repository):
        for code in release.references(py).values():
            compile(code, str(py), "exec")
