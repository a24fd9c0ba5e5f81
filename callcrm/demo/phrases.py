"""What is said in the demo's calls: by side and purpose, in English and in Russian. The voices are made from this."""

#: language → side → purpose → what is said.
PHRASES: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "en": {
        "operator": {
            "hello": (
                "Good morning, North Garden, how can I help you?",
                "North Garden, good afternoon. What can I do for you?",
                "Hello, you are through to North Garden. How may I help?",
            ),
            "call": (
                "Good morning, this is North Garden. You tried to reach us.",
                "Hello, North Garden speaking. I promised to call you back.",
            ),
            "ask": (
                "Could you tell me the number of your order, please?",
                "When did you place the order?",
                "Which address should it be delivered to?",
                "May I have your name, please?",
            ),
            "answer": (
                "Thank you. I can see your order here, it leaves our store tomorrow morning.",
                "The driver will call you half an hour before he arrives.",
                "I have changed the date for you. You will get a message in a minute.",
                "I am sorry about that. We will send you a new one at no charge.",
                "Yes, the garden chairs are in stock, and there is a discount this week.",
                "I will ask my colleague in the store, and call you back today.",
            ),
            "hold": ("One moment, please. I will put you on hold.",),
            "back": ("Thank you for waiting. I have found it.",),
            "bye": (
                "Thank you for calling. Have a nice day. Goodbye.",
                "You are welcome. Goodbye.",
                "It was a pleasure. Goodbye, and thank you.",
            ),
        },
        "client": {
            "pick": ("Hello?", "Yes, speaking."),
            "reason": (
                "Hello. I ordered a greenhouse last week, and it has not arrived yet.",
                "Good morning. I would like to change the date of my delivery.",
                "Hi, I have a question about the invoice that you sent me.",
                "Hello. One of the garden chairs came with a broken leg.",
                "Good afternoon. Do you still have the large terrace table?",
                "Hello, somebody called me from this number today.",
            ),
            "detail": (
                "It is four seven one, two zero five.",
                "I think it was on Thursday, in the evening.",
                "The same address as the last time, please.",
                "Yes, that is right. The blue one.",
                "Could it come in the afternoon? In the morning nobody is at home.",
                "And what does the delivery cost?",
            ),
            "agree": (
                "All right, that sounds good.",
                "Fine. That helps me a lot.",
                "Yes, please do that.",
                "Okay, I will wait for the message.",
            ),
            "bye": (
                "Thank you very much. Goodbye.",
                "Thanks for your help. Bye.",
                "Great, thank you. Bye bye.",
            ),
        },
    },
    "ru": {
        "operator": {
            "hello": ("Здравствуйте, Северный сад, чем могу помочь?",),
            "call": ("Здравствуйте, это Северный сад. Вы нам звонили.",),
            "ask": ("Подскажите, пожалуйста, номер заказа.",),
            "answer": ("Спасибо, вижу ваш заказ. Доставка завтра утром.", "Водитель позвонит вам за полчаса."),
            "hold": ("Одну минуту, оставайтесь на линии.",),
            "back": ("Спасибо, что подождали.",),
            "bye": ("Всего доброго, до свидания.",),
        },
        "client": {
            "pick": ("Алло, слушаю.",),
            "reason": ("Здравствуйте. Я жду доставку, а её всё нет.", "Добрый день. Хочу перенести дату доставки."),
            "detail": ("Четыре, семь, один, ноль, пять.", "Сколько стоит доставка?"),
            "agree": ("Хорошо, подожду.",),
            "bye": ("Большое спасибо, до свидания.",),
        },
    },
}


def file_name(language: str, side: str, purpose: str, n: int) -> str:
    """The name of a phrase's sound file in voices/."""
    return f"{language}-{side}-{purpose}-{n}.ogg"
