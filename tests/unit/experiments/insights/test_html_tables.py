from experiments.insights.html_tables import Html, html_table, wide


def test_cells_are_escaped_but_for_html_and_a_row_can_be_marked():
    rows = [("<b>", Html("<b>1</b>")), ("2", "3")]
    assert html_table((), rows, row_headers=True, highlighted=[1]) == (
        '<table><tbody><tr><th scope="row">&lt;b&gt;</th><td><b>1</b></td></tr>'
        '<tr class="highlighted"><th scope="row">2</th><td>3</td></tr></tbody></table>'
    )


def test_a_wide_table_is_a_named_region_that_keys_reach():
    assert wide("<table></table>", 'a "b"').startswith(
        '<div class="wide" tabindex="0" role="region" aria-label="a &quot;b&quot;"><table>'
    )
