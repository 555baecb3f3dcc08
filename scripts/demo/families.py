"""The product families of the demo market: reported facts where they are known, illustrative figures elsewhere.

Amounts are 万 (10,000 yuan), fixed prices percent per year, floating ones basis points over the LPR. ``sellers``
names who lists a family, each with a shift of its price in basis points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from market.vocabulary import OfferKind, Pricing, ProductFamily, Repayment, Security

F, P, R, S = ProductFamily, Pricing, Repayment, Security
LOAN, LEASE = OfferKind.LOAN, OfferKind.LEASE

#: Highest amount in 万 by knowledge grade (知识价值信用贷).
GRADE_CAPS = {"knowledge_a": 500, "knowledge_b": 400, "knowledge_c": 300, "knowledge_d": 160, "knowledge_e": 80}


@dataclass(frozen=True, slots=True)
class Family:
    """One family: what every seller of it has in common."""

    key: str
    name_zh: str
    name_en: str
    family: ProductFamily
    pricing: Pricing
    price: tuple[str, str] | tuple[int, int] | None
    cap: int
    months: tuple[int, int]
    security: Security
    sellers: str
    summary_zh: str
    summary_en: str
    offer: OfferKind | None = LOAN
    repayment: Repayment | None = None
    least: int = 20
    ratio: str | None = None
    deducts_retention: bool = False
    fees: tuple[Mapping[str, str], ...] = ()
    subsidies: tuple[Mapping[str, str], ...] = ()
    conditions: tuple[Mapping[str, Any], ...] = ()
    lease: Mapping[str, str] | None = None


def _fee(name: str, rate: str, when: str = "upfront", payee: str = "lender", basis: str = "principal") -> Mapping[str, str]:
    return {"name": name, "payee": payee, "basis": basis, "rate": rate, "when": when}


def _subsidy(name: str, rate: str, recipient: str, when: str = "end") -> Mapping[str, str]:
    return {"name": name, "recipient": recipient, "basis": "principal", "rate": rate, "when": when}


def _when(fact: str, test: str, value: Any) -> Mapping[str, Any]:
    return {"fact": fact, "test": test, "value": value}


_SMALL = _when("size_class", "in", ["small", "micro"])

FAMILIES: tuple[Family, ...] = (
    Family(
        "conversion", "科技成果转化贷", "Technology conversion loan", F.INNOVATION, P.LPR_1Y, (50, 70), 1000, (3, 12),
        S.GUARANTEE, "lujiang dongyu:-5 qihang:-10 beichen tailu:5",
        "面向入库科技型中小企业，政策性担保，担保机构按年获 0.5% 担保费补贴，国家、省、地方三级分险。",
        "For firms in the national tech-SME library. Policy guarantee; the guarantor receives 0.5% a year; risk is "
        "shared at three levels.",
        repayment=R.INTEREST_MONTHLY, fees=(_fee("担保费", "0.01", payee="guarantor"),),
        subsidies=(_subsidy("担保费补贴", "0.005", "institution"),), conditions=(_when("tags", "has", "tech_sme"),),
    ),
    Family(
        "talent", "人才贷", "Talent loan", F.INNOVATION, P.LPR_1Y, (40, 60), 200, (3, 12), S.UNSECURED,
        "lujiang qihang:-5 yunfan beichen:5", "创始人为市级以上人才，纯信用，最高 200 万元。",
        "Unsecured, up to 2 million yuan, for firms founded by city-level talent or above.",
        repayment=R.INTEREST_MONTHLY, conditions=(_when("tags", "has", "talent"),),
    ),
    Family(
        "knowledge", "知识价值信用贷", "Knowledge-value credit loan", F.INNOVATION, P.LPR_1Y, (55, 75), 500, (3, 12),
        S.UNSECURED, "qihang hailan:5 minghu:-5",
        "按知识价值 A 至 E 级授信 500 / 400 / 300 / 160 / 80 万元，逾期本金由补偿资金承担 80%。",
        "Limits of 5 / 4 / 3 / 1.6 / 0.8 million yuan by knowledge grade A to E; a fund compensates 80% of overdue "
        "principal.",
        repayment=R.INTEREST_MONTHLY, conditions=(_when("tags", "has_any", sorted(GRADE_CAPS)),),
    ),
    Family(
        "contract70", "政采贷(七成)", "Contract loan 70%", F.CONTRACT, P.FIXED, ("3.75", "3.95"), 1500, (1, 24),
        S.RECEIVABLE_PLEDGE, "lujiang dongyu:-5 lianqiao:5 jinhesui beichen",
        "凭政府采购合同，按合同金额七成融资，到期不晚于末次付款日后三个月。",
        "70% of a government procurement contract; ends at most three months after the last payment falls due.",
        repayment=R.BULLET, ratio="0.7",
    ),
    Family(
        "contract85", "政采贷(扣质保金85%)", "Contract loan 85% net of retention", F.CONTRACT, P.FIXED, ("3.80", "3.90"),
        1000, (1, 12), S.RECEIVABLE_PLEDGE, "dongyu huanwan:5 tailu",
        "凭中标通知书，按合同金额扣除质保金后的 85% 融资。", "85% of the contract amount minus retention, against the award notice.",
        repayment=R.BULLET, ratio="0.85", deducts_retention=True,
    ),
    Family(
        "sunshine", "阳光政采贷", "Revolving contract loan", F.CONTRACT, P.FIXED, ("3.45", "4.50"), 1000, (1, 12),
        S.RECEIVABLE_PLEDGE, "hailan jishui:5 qihang", "按历史结算记录核定额度，随借随还。",
        "Revolving; the limit follows the settlement history.", repayment=R.REVOLVING, ratio="0.8",
    ),
    Family(
        "tax", "税易贷", "Tax-record loan", F.INNOVATION, P.LPR_1Y, (50, 80), 200, (1, 12), S.UNSECURED,
        "lujiang huanwan:5 lianqiao nanyan:10 jishui tianqu:10", "按时足额纳税即可申请，纯信用，随借随还。",
        "Unsecured and revolving, for firms that pay tax on time and in full.", repayment=R.REVOLVING, least=10,
        conditions=(_when("tax_grade", "in", ["A", "B"]),),
    ),
    Family(
        "taxcloud", "银税云贷", "Bank-tax cloud loan", F.INNOVATION, P.FIXED, ("4.0525", "4.0525"), 300, (1, 12), S.UNSECURED,
        "jinhesui dongyu minghu", "纳税信用 A / B / M 级，近 12 个月纳税及减免合计不低于 5000 元。",
        "For tax grades A, B and M with at least 5,000 yuan of tax and relief in twelve months.",
        repayment=R.REVOLVING, least=10, conditions=(_when("tax_grade", "in", ["A", "B", "M"]),),
    ),
    Family(
        "factory", "厂易贷(标准厂房按揭)", "Factory loan", F.INNOVATION, P.LPR_5Y, (20, 40), 3000, (12, 60), S.MORTGAGE,
        "lujiang hailan:5 jinhesui tailu", "购置标准厂房，首付不低于三成，成立满三年且连续两年盈利。",
        "To buy a standard plant: at least 30% down, three years old, profitable for two.",
        repayment=R.EQUAL_INSTALLMENT, least=100,
        conditions=(_when("age_months", "at_least", 36), _when("purpose", "in", ["factory", "equipment"])),
    ),
    Family(
        "specialised", "专精特新企业贷", "Specialised-SME loan", F.INNOVATION, P.FIXED, ("3.45", "4.50"), 1000, (1, 12),
        S.UNSECURED, "lujiang dongyu:-5 hailan lianqiao:5 minghu beichen", "面向专精特新企业，纯信用。",
        "Unsecured, for specialised and sophisticated firms.", repayment=R.INTEREST_MONTHLY,
        conditions=(_when("tags", "has_any", ["specialised", "little_giant"]),),
    ),
    Family(
        "online", "科创e贷", "Tech online loan", F.INNOVATION, P.FIXED, ("3.85", "5.95"), 1000, (1, 24), S.UNSECURED,
        "lujiang qihang:-10 yunfan dongyu nanyan:15 tailu:5 jishui", "科技型企业线上申请，成立满一年。",
        "On-line loan for technology firms at least one year old.", repayment=R.INTEREST_MONTHLY,
        conditions=(_when("tags", "has_any", ["tech_sme", "high_tech"]), _when("age_months", "at_least", 12)),
    ),
    Family(
        "smalltech", "科创小企业贷款", "Tech small-firm loan", F.INNOVATION, P.FIXED, ("3.45", "5.95"), 5000, (1, 120),
        S.IP_PLEDGE, "qihang hailan lujiang:5 beichen", "专精特新或上市后备企业，知识产权、设备或股权质押。",
        "For specialised or listed firms, against intellectual property, equipment or shares.",
        repayment=R.EQUAL_PRINCIPAL, least=50,
        conditions=(_when("tags", "has_any", ["specialised", "little_giant", "listed"]),),
    ),
    Family(
        "mortgage", "抵押融易贷", "Mortgage loan", F.SECURED, P.FIXED, ("3.45", "4.50"), 3000, (1, 36), S.MORTGAGE,
        "lujiang jinhesui:5 huanwan lianqiao:-5 jishui tailu", "不动产抵押，额度高，期限最长三年。",
        "Against real estate, for up to three years.", repayment=R.EQUAL_INSTALLMENT, least=50,
    ),
    Family(
        "quick", "快捷贷", "Quick loan", F.SECURED, P.FIXED, ("3.85", "4.90"), 1500, (1, 36), S.GUARANTEE,
        "dongyu yunfan lianqiao nanyan:10 tianqu:5 minghu", "抵押、信用、保证均可，成立满六个月。",
        "Mortgage, credit or guarantee; the firm is at least six months old.", repayment=R.INTEREST_MONTHLY,
        conditions=(_when("age_months", "at_least", 6),),
    ),
    Family(
        "risk", "鲁科贷型科技贷", "Risk-shared tech loan", F.INNOVATION, P.FIXED, ("3.39", "3.60"), 1000, (3, 36), S.UNSECURED,
        "beichen tailu minghu:-5 jinhesui", "入库科技型中小企业，损失按 35 / 35 / 30 分担；按期还款后按已付利息四成贴息，最高 50 万元。",
        "For the national tech-SME library; losses are split 35/35/30; 40% of the interest paid comes back after "
        "on-time repayment, up to 500,000 yuan.",
        repayment=R.INTEREST_MONTHLY, subsidies=(_subsidy("贷款贴息", "0.0136", "firm"),),
        conditions=(_when("tags", "has", "tech_sme"),),
    ),
    Family(
        "batch", "总对总批量担保", "Batch guarantee", F.GUARANTEE, P.FEE, ("1.00", "1.00"), 1000, (3, 12), S.GUARANTEE,
        "lurong huzhu jike taidan", "小微企业批量担保，国家融资担保基金分险 20%，年费 1%。",
        "For small and micro firms; the national fund bears 20%; 1% of the guaranteed amount a year.",
        offer=None, fees=(_fee("担保费", "0.01", "yearly", "guarantor"),), conditions=(_SMALL,),
    ),
    Family(
        "quickguarantee", "蜀担快贷型担保", "Quick guarantee", F.GUARANTEE, P.FEE, ("1.06", "1.10"), 1000, (3, 12), S.GUARANTEE,
        "lurong jike", "20 / 20 / 60 分险，代偿上限 3%，年费 1%，另付再担保费 0.06% 至 0.10%。",
        "Risk shared 20/20/60, portfolio losses capped at 3%; 1% a year and a re-guarantee fee of 0.06% to 0.10%.",
        offer=None, fees=(_fee("担保费", "0.01", "yearly", "guarantor"), _fee("再担保费", "0.0008", "yearly", "guarantor")),
    ),
    Family(
        "investment", "民间投资专项担保", "Private-investment guarantee", F.GUARANTEE, P.FEE, ("0.50", "1.00"), 2000, (12, 60),
        S.GUARANTEE, "huzhu taidan", "支持设备购置和厂房扩建，代偿上限 5%。",
        "For equipment and extensions of plants; losses capped at 5%.", offer=None,
        fees=(_fee("担保费", "0.0075", "yearly", "guarantor"),),
        conditions=(_when("purpose", "in", ["equipment", "factory"]),),
    ),
    Family(
        "enhancement", "增信基金担保贷", "Credit-enhancement fund loan", F.GUARANTEE, P.LPR_1Y, (70, 90), 1000, (3, 12),
        S.GUARANTEE, "zengxin mingzeng:5", "抵押物不足的小微企业由增信基金担保，担保费年 1%，首年减半。",
        "For small and micro firms with weak collateral; guarantee fee 1% a year, half in the first.",
        repayment=R.INTEREST_MONTHLY, fees=(_fee("担保费", "0.005", payee="guarantor"),), conditions=(_SMALL,),
    ),
    Family(
        "insurance", "贷款保证保险", "Loan credit insurance", F.INSURANCE, P.FEE, ("2.00", "3.00"), 500, (3, 12), S.UNSECURED,
        "yuanyu yuan tailubao", "保费不高于年 3%，保险公司与银行按 80 / 20 分担损失。",
        "Premium of at most 3% a year; insurer and bank share losses 80/20.", offer=None,
        fees=(_fee("保险费", "0.025", "yearly", "insurer"),),
    ),
    Family(
        "lease", "设备直租36期", "Equipment lease, 36 months", F.LEASE, P.FIXED, ("5.30", "5.70"), 2000, (36, 36), S.EQUIPMENT,
        "luming yuheng:-10 dongzu:10 jichuan", "租赁公司购入设备，36 期后付租金，保证金期末退还，100 元留购。",
        "The lessor buys the equipment; 36 rents in arrears, the deposit is refunded, 100 yuan to buy out.",
        offer=LEASE, least=50, fees=(_fee("手续费", "0.015"),), conditions=(_when("purpose", "in", ["equipment", "factory"]),),
        lease={"rent": "arrears", "deposit": "0.05", "buyout": "100.00"},
    ),
    Family(
        "leaseback", "售后回租", "Sale and lease-back", F.LEASE, P.FIXED, ("5.80", "6.20"), 3000, (24, 36), S.EQUIPMENT,
        "luming dongzu huan:10 jichuan:-5", "盘活自有设备，先付租金，保证金期末退还，100 元留购。",
        "Turns owned equipment into cash; rents in advance, the deposit is refunded, 100 yuan to buy out.",
        offer=LEASE, least=50, fees=(_fee("手续费", "0.02"),),
        lease={"rent": "advance", "deposit": "0.1", "buyout": "100.00"},
    ),
    Family(
        "bridge", "应急转贷", "Bridge loan", F.BRIDGE, P.PER_DAY, ("0.02", "0.02"), 1000, (0, 0), S.UNSECURED, "zhuandai jizhuan",
        "凭银行续贷承诺，不超过承诺金额的 95%，第 1 至 5 日每日 0.02%，最长 10 个工作日，资金闭环。",
        "Against a bank's promise to renew: up to 95% of it, 0.02% a day for days 1 to 5, ten working days at most.",
        offer=None, repayment=R.BULLET,
    ),
    Family(
        "startup", "创业担保贷款", "Start-up guaranteed loan", F.INNOVATION, P.LPR_1Y, (-150, -150), 300, (3, 24), S.GUARANTEE,
        "jinhesui huanwan jishui", "当年新招员工不低于 15%，企业承担 LPR 减 150 基点，其余由财政贴息。",
        "For firms whose new hires make up 15% of staff: they pay LPR minus 150 points, the state the rest.",
        repayment=R.INTEREST_MONTHLY, least=10, subsidies=(_subsidy("财政贴息", "0.015", "institution"),),
        conditions=(_SMALL, _when("staff_count", "at_most", 120)),
    ),
    Family(
        "seed", "孵化种子资金", "Incubation seed money", F.GRANT, P.GRANT, None, 20, (0, 0), S.UNSECURED, "ludao-zone jishui-zone",
        "在孵企业经专家评审拨付，拨付后跟踪成效，无需偿还。", "Granted to incubated firms after a panel review and followed up; not repaid.",
        offer=None, least=5, conditions=(_when("tags", "has", "incubated"),),
    ),
    Family(
        "seedfund", "创业种子基金", "Start-up seed fund", F.EQUITY, P.EQUITY, None, 50, (0, 60), S.UNSECURED,
        "qiyu kechuang yindao", "成立不超过三年，免息信用借款或公益参股，五年不分红。",
        "For firms up to three years old: interest-free credit or public-interest equity, no dividend for five years.",
        offer=None, least=10, conditions=(_when("age_months", "at_most", 36),),
    ),
)
