"""Questions about orders: when they are due, and when they are settled."""

from recon.nautilus.questions import FIRST_NS, LONGEST_NS, Questions

SECOND = 1_000_000_000


def test_a_question_that_is_answered_is_gone():
    questions = Questions()
    questions.add("BTCUSDT", "1", "O-1", 0)
    [question] = questions.due(0)
    questions.answered(question)
    assert len(questions) == 0


def test_a_question_that_comes_up_again_while_it_is_asked_is_not_settled_by_the_answer():
    questions = Questions()
    questions.add("BTCUSDT", "1", "O-1", 0)
    [question] = questions.due(0)
    question.is_renewed = False
    questions.add("BTCUSDT", "1", "O-1", 2 * SECOND)
    questions.answered(question)
    assert questions.due(2 * SECOND) == [question]


def test_a_question_that_comes_up_again_while_it_is_asked_is_not_put_off():
    questions = Questions()
    questions.add("BTCUSDT", "1", "O-1", 0)
    [question] = questions.due(0)
    question.is_renewed = False
    questions.add("BTCUSDT", "1", "O-1", 2 * SECOND)
    questions.put_off(question, 2 * SECOND)
    assert questions.due(2 * SECOND) == [question]


def test_pauses_double_up_to_the_longest():
    questions = Questions()
    questions.add("BTCUSDT", "1", None, 0)
    [question] = questions.due(0)
    pauses = []
    for _ in range(8):
        questions.put_off(question, 0)
        pauses.append(question.due_ns)
    assert pauses == [min(FIRST_NS << n, LONGEST_NS) for n in range(8)]


def test_an_order_is_known_by_either_of_its_names_within_its_symbol():
    questions = Questions()
    questions.add("BTCUSDT", "1", "O-1", 0)
    assert questions.has("BTCUSDT", "1", None)
    assert questions.has("BTCUSDT", None, "O-1")
    assert not questions.has("ETHUSDT", "1", "O-1")
    assert not questions.has("BTCUSDT", "2", "O-2")
    assert not questions.has("BTCUSDT", None, None)
